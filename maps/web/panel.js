/* The panel: language, view, legend, search. */
"use strict";

(function (digonce) {
  const LIMIT = 12;

  function setLanguage(language) {
    digonce.language = language;
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    for (const one of document.querySelectorAll("[data-zh]")) one.textContent = one.dataset[language];
    for (const one of document.querySelectorAll("[data-label-zh]")) {
      one.setAttribute("aria-label", language === "zh" ? one.dataset.labelZh : one.dataset.labelEn);
    }
    for (const one of document.querySelectorAll("[data-hint-zh]")) {
      one.placeholder = language === "zh" ? one.dataset.hintZh : one.dataset.hintEn;
    }
    document.title = document.querySelector("h1").textContent;
    digonce.reopen();
  }

  function setView(key) {
    const view = digonce.config.views.find((one) => one.key === key);
    if (!view) return;
    digonce.viewKey = key;
    for (const table of document.querySelectorAll("table[data-view]")) table.hidden = table.dataset.view !== key;
    for (const radio of document.querySelectorAll("input[name=view]")) radio.checked = radio.value === key;
    const sheet = digonce.sheets.segments;
    if (sheet) {
      sheet.setClasses(view.column, view.classes);
      digonce.refresh("segments");
    }
    digonce.reopen();
  }

  const PROJECTS = ["project_lines", "project_areas"];

  /* What can be searched for: [kind, text, sheet and number of a project]. Built once, when the field is first used. */
  let entries = null;
  function allEntries() {
    if (entries) return entries;
    const { segments, roads, compounds } = digonce.sheets;
    const named = (sheet, key) => (sheet && sheet.header.facts.find((fact) => fact.key === key) || { values: [] }).values;
    const streets = new Set([...named(roads, "name"), ...named(segments, "street_name")]);
    const estates = new Set([...named(compounds, "name"), ...named(segments, "compound_name")]);
    entries = [...streets].map((text) => ["street", text]);
    entries.push(...[...estates].map((text) => ["compound", text]));
    for (const sheet of PROJECTS.map((key) => digonce.sheets[key]).filter(Boolean)) {
      const name = sheet.header.facts.find((fact) => fact.key === "name");
      sheet.header.ids.forEach((id, i) => {
        const code = name ? sheet.arrays.name[i] : 0;
        entries.push(["project", code ? name.values[code - 1] + " " + id : id, sheet, i]);
      });
    }
    entries.push(...segments.header.ids.map((text) => ["segment", text]));
    return entries;
  }

  function find(query) {
    const wanted = query.trim().toLowerCase();
    if (!wanted) return [];
    const starts = [], holds = [];
    for (const entry of allEntries()) {
      const at = entry[1].toLowerCase().indexOf(wanted);
      if (at === 0) starts.push(entry);
      else if (at > 0) holds.push(entry);
      if (starts.length >= LIMIT) break;
    }
    return starts.concat(holds).slice(0, LIMIT);
  }

  function withName(sheet, key, name) {
    const fact = sheet && sheet.header.facts.find((one) => one.key === key);
    const code = fact ? fact.values.indexOf(name) + 1 : 0;
    if (!code) return [];
    const found = [];
    sheet.arrays[key].forEach((value, i) => {
      if (value === code) found.push(i);
    });
    return found;
  }

  function open([kind, text, sheet, i]) {
    if (kind === "segment") return digonce.select(text);
    if (kind === "project") {
      digonce.show(sheet.boxOf([i]), [], () => digonce.popup.feature(sheet, i));
      return true;
    }
    const { segments, roads, compounds } = digonce.sheets;
    const own = withName(segments, kind === "street" ? "street_name" : "compound_name", text);
    const base = kind === "street" ? roads : compounds;
    const ground = withName(base, "name", text);
    const boxes = [];
    if (own.length) boxes.push(segments.boxOf(own));
    if (ground.length) boxes.push(base.boxOf(ground));
    if (!boxes.length) return false;
    const box = [
      Math.min(...boxes.map((one) => one[0])),
      Math.min(...boxes.map((one) => one[1])),
      Math.max(...boxes.map((one) => one[2])),
      Math.max(...boxes.map((one) => one[3])),
    ];
    digonce.show(box, own, () => digonce.popup.place(kind, text, own));
    return true;
  }

  /* Show the segments of a row of a table. */
  function openSegments(ids, name) {
    const sheet = digonce.sheets.segments;
    const own = ids.map((id) => sheet.header.ids.indexOf(id)).filter((i) => i >= 0);
    if (!own.length) return;
    const make = () => (own.length === 1 ? digonce.popup.feature(sheet, own[0]) : digonce.popup.place("batch", name, own));
    digonce.collapse();
    digonce.show(sheet.boxOf(own), own, make);
  }

  function startSearch(form) {
    const field = form.querySelector("input");
    const list = form.querySelector("ul");
    let results = [];
    let active = 0;

    function mark(index) {
      active = index;
      [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === active)));
      field.setAttribute("aria-activedescendant", results.length ? "result-" + active : "");
    }

    function close() {
      list.hidden = true;
      field.setAttribute("aria-expanded", "false");
    }

    function choose(index) {
      if (!results[index]) {
        // what an earlier search has found is no answer to this one
        digonce.map.closePopup();
        return;
      }
      field.value = results[index][1];
      close();
      open(results[index]);
      digonce.collapse();
    }

    function fill() {
      results = find(field.value);
      list.replaceChildren();
      results.forEach(([kind, text], i) => {
        const item = digonce.popup.element("li", "");
        item.id = "result-" + i;
        item.setAttribute("role", "option");
        item.append(digonce.popup.element("span", "", text), digonce.popup.element("small", "", digonce.popup.word("maps_web_kind_" + kind)));
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          choose(i);
        });
        list.append(item);
      });
      if (field.value.trim() && !results.length) list.append(digonce.popup.element("li", "none", digonce.popup.word("maps_web_nothing_found")));
      list.hidden = !field.value.trim();
      field.setAttribute("aria-expanded", String(!list.hidden));
      mark(0);
    }

    field.addEventListener("input", fill);
    field.addEventListener("blur", close);
    field.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") mark(Math.min(active + 1, results.length - 1));
      else if (event.key === "ArrowUp") mark(Math.max(active - 1, 0));
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (list.hidden) fill();
      choose(active);
    });
  }

  function startPanel() {
    const panel = document.getElementById("panel");
    const toggle = document.getElementById("toggle");
    digonce.collapse = () => {
      if (window.matchMedia("(max-width: 720px)").matches) setOpen(false);
    };
    function setOpen(isOpen) {
      panel.classList.toggle("open", isOpen);
      toggle.setAttribute("aria-expanded", String(isOpen));
    }
    toggle.addEventListener("click", () => setOpen(!panel.classList.contains("open")));
    for (const button of document.querySelectorAll("[data-language]")) {
      button.addEventListener("click", () => setLanguage(digonce.language === "zh" ? "en" : "zh"));
    }
    for (const radio of document.querySelectorAll("input[name=view]")) {
      radio.addEventListener("change", () => setView(radio.value));
    }
    for (const button of document.querySelectorAll("[data-segments]")) {
      button.addEventListener("click", () => openSegments(JSON.parse(button.dataset.segments), button.textContent));
    }
    startSearch(document.getElementById("search"));
  }

  digonce.panel = { start: startPanel, setLanguage, setView, find, open };
})(window.digonce);
