/* Starts the page: decodes the layers, puts them on three canvases, answers clicks, and offers `window.digonce` to tests. */
"use strict";

(function (digonce) {
  const REACH = 9; // pixels
  const ASKED = ["leaks", "events", "valves", "segments"];
  const CLOSED = ["bans", "bans_to_come"];
  // from this zoom on leaks lie above the pipes; where a whole city is in view they would hide the colours of these
  const LEAKS_ABOVE_FROM = 14.5;
  const GROUND = ["project_lines", "project_areas", "compounds"];
  const STACKS = {
    ground: ["buildings", "compounds", "roads", "project_areas", "project_lines", "bans_to_come", "bans"],
    pipes: ["overlaps", "leaks", "segments"],
    marks: ["valves", "events", "leaks"],
  };

  digonce.sheets = {};
  digonce.canvases = {};
  digonce.config = null;
  let opened = null; // how to make the content of the open popup again
  let popup = null;

  digonce.refresh = function (key) {
    for (const [stack, keys] of Object.entries(STACKS)) {
      if (keys.some((name) => name === key || name.startsWith("project_") && key === "projects") && digonce.canvases[stack]) {
        digonce.canvases[stack].redraw();
      }
    }
    if (digonce.canvases.marks) digonce.canvases.marks.redraw();
  };

  digonce.reopen = function () {
    if (popup && popup.isOpen() && opened) popup.setContent(opened());
  };

  function latLng(x, y) {
    return digonce.map.unproject(L.point(x, y), 0);
  }

  function world(at) {
    return digonce.map.project(at, 0);
  }

  function openPopup(at, make) {
    opened = make;
    popup = L.popup({ minWidth: 230, maxWidth: 320, maxHeight: Math.max(200, digonce.map.getSize().y - 120), autoPanPadding: [16, 16] });
    popup.on("remove", () => mark([]));
    popup.setLatLng(at).setContent(make()).openOn(digonce.map);
  }

  /* Mark some segments as selected. */
  function mark(features) {
    digonce.selected = features;
    digonce.canvases.marks.redraw();
  }

  /* The point halfway along the first part of a feature, in world pixels. */
  digonce.middle = function (sheet, i) {
    const { x, y, partAt, featureAt } = sheet.shapes;
    const first = partAt[featureAt[i]], last = partAt[featureAt[i] + 1] - 1;
    let whole = 0;
    for (let v = first; v < last; v++) whole += Math.hypot(x[v + 1] - x[v], y[v + 1] - y[v]);
    let left = whole / 2;
    for (let v = first; v < last; v++) {
      const length = Math.hypot(x[v + 1] - x[v], y[v + 1] - y[v]);
      if (length >= left && length > 0) return [x[v] + ((x[v + 1] - x[v]) * left) / length, y[v] + ((y[v + 1] - y[v]) * left) / length];
      left -= length;
    }
    return [x[first], y[first]];
  };

  /* Bring a box into view, no nearer than one sees what lies around it. */
  function fit(box) {
    digonce.map.fitBounds(L.latLngBounds(latLng(box[0], box[3]), latLng(box[2], box[1])), { maxZoom: 18, animate: false, padding: [40, 40] });
  }

  /* Zoom to a box, mark the features, open a popup in its middle. */
  digonce.show = function (box, features, make) {
    fit(box);
    openPopup(latLng((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), make);
    mark(features);
  };

  digonce.select = function (id) {
    const sheet = digonce.sheets.segments;
    const i = sheet.header.ids.indexOf(id);
    if (i < 0) return false;
    const [x, y] = digonce.middle(sheet, i);
    fit(sheet.boxOf([i]));
    openPopup(latLng(x, y), () => digonce.popup.feature(sheet, i));
    mark([i]);
    return true;
  };

  /* What lies under a point, as pairs of sheet and feature: the first mark or pipe, else all bans with what they lie on. */
  function hit(at) {
    const point = world(at);
    const reach = REACH / 2 ** digonce.map.getZoom();
    const first = (keys) => {
      for (const sheet of keys.map((key) => digonce.sheets[key]).filter(Boolean)) {
        const i = sheet.hit(point.x, point.y, reach);
        if (i >= 0) return [[sheet, i]];
      }
      return [];
    };
    const found = first(ASKED);
    if (found.length) return found;
    const closed = CLOSED.map((key) => digonce.sheets[key]).filter(Boolean);
    return [...closed.flatMap((sheet) => sheet.hits(point.x, point.y, 0).map((i) => [sheet, i])), ...first(GROUND)];
  }

  function startClicks(map) {
    map.on("click", (event) => {
      const found = hit(event.latlng);
      if (!found.length) return;
      openPopup(event.latlng, () => digonce.popup.features(found));
      mark(found.filter(([sheet]) => sheet.key === "segments").map(([, i]) => i));
    });
    let isAsked = false;
    map.on("mousemove", (event) => {
      if (isAsked) return;
      isAsked = true;
      requestAnimationFrame(() => {
        isAsked = false;
        map.getContainer().style.cursor = hit(event.latlng).length ? "pointer" : "";
      });
    });
  }

  const selection = {
    draw(context, view) {
      const sheet = digonce.sheets.segments;
      if (!sheet || !digonce.selected.length) return;
      context.save();
      context.lineCap = "round";
      for (const [colour, width] of [[digonce.config.selected, 9], ["#ffffff", 5.5], ["#00a2ff", 3]]) {
        context.strokeStyle = colour;
        context.lineWidth = width;
        context.beginPath();
        for (const i of digonce.selected) sheet.trace(context, view, i);
        context.stroke();
      }
      context.restore();
    },
  };

  /* Leaks as one of two stacks draws them: below the pipes from afar, above them from near. */
  function leaksIn(stack) {
    const sheet = digonce.sheets.leaks;
    if (!sheet) return null;
    const isOurs = (zoom) => (stack === "marks") === (zoom >= LEAKS_ABOVE_FROM);
    return { draw: (context, view) => isOurs(view.zoom) && sheet.draw(context, view) };
  }

  function makeCanvases(map) {
    Object.keys(STACKS).forEach((stack, order) => {
      const pane = map.createPane("digonce-" + stack);
      pane.style.zIndex = String(380 + 10 * order);
      pane.style.pointerEvents = "none";
      const canvas = new digonce.Canvas({ pane: "digonce-" + stack });
      canvas.sheets = STACKS[stack].map((key) => (key === "leaks" ? leaksIn(stack) : digonce.sheets[key])).filter(Boolean);
      digonce.canvases[stack] = canvas;
    });
    const marks = digonce.canvases.marks.sheets;
    const { roads, compounds } = digonce.sheets;
    if (compounds) marks.unshift(new digonce.Labels(compounds, { colour: "#6f6a5c", weight: 600, isAlong: false }));
    if (roads) marks.unshift(new digonce.Labels(roads, { colour: "#4b4f55", weight: 500, isAlong: true }));
    marks.unshift(selection);
    Object.values(digonce.canvases).forEach((canvas) => canvas.addTo(map));
  }

  async function load() {
    await Promise.all(
      digonce.config.layers.map(async (spec) => {
        const data = await digonce.codec.decode(document.getElementById("digonce-layer-" + spec.key));
        digonce.sheets[spec.key] = digonce.makeSheet(spec, data);
      }),
    );
  }

  function say(code) {
    const notice = document.getElementById("notice");
    notice.hidden = !code;
    if (!code) return;
    for (const language of ["en", "zh"]) notice.dataset[language] = digonce.config.words[code][language];
    notice.textContent = notice.dataset[digonce.language];
  }

  /* Features drawn at the last draw (`counts`) and held in the page (`totals`), by layer of the layer control. */
  function sum(attribute) {
    const numbers = {};
    for (const sheet of Object.values(digonce.sheets)) {
      const name = sheet.spec.switch === "base" ? sheet.key : sheet.spec.switch;
      numbers[name] = (numbers[name] || 0) + sheet[attribute];
    }
    return numbers;
  }
  digonce.counts = () => sum("drawn");
  digonce.totals = () => sum("count");
  digonce.pixel = function (id) {
    const sheet = digonce.sheets.segments;
    const [x, y] = digonce.middle(sheet, sheet.header.ids.indexOf(id));
    const point = digonce.map.latLngToContainerPoint(latLng(x, y));
    const corner = digonce.map.getContainer().getBoundingClientRect();
    return [point.x + corner.left, point.y + corner.top];
  };

  function openWholeCity(map) {
    map.fitBounds(digonce.config.bounds, { animate: false, padding: [12, 12] });
  }

  digonce.start = async function (map, control) {
    digonce.map = map;
    digonce.selected = [];
    digonce.config = JSON.parse(document.getElementById("digonce-config").textContent);
    digonce.language = digonce.config.language;
    map.attributionControl.setPrefix("");
    L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
    document.getElementById("layers").append(control.getContainer());
    digonce.panel.start();
    if (typeof DecompressionStream === "undefined") {
      say("maps_web_browser_too_old");
      return;
    }
    say("maps_web_loading");
    try {
      await load();
    } catch (fault) {
      say("maps_web_damaged");
      throw fault;
    }
    openWholeCity(map);
    makeCanvases(map);
    digonce.panel.setLanguage(digonce.language);
    digonce.panel.setView(digonce.config.view);
    startClicks(map);
    document.getElementById("whole").addEventListener("click", () => openWholeCity(map));
    window.addEventListener("beforeprint", () => map.invalidateSize({ animate: false }));
    say(digonce.config.notice);
    requestAnimationFrame(() => requestAnimationFrame(() => { document.documentElement.dataset.ready = "yes"; }));
  };
})(window.digonce);
