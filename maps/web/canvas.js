/* One canvas on the Leaflet map that holds several sheets (layers of features). It is moved by CSS while the map pans and
   drawn anew when it rests: redrawing each frame would halve the frame rate at 100,000 segments. */
"use strict";

(function (digonce) {
  const PADDING = 0.3;

  const Canvas = L.Layer.extend({
    initialize(options) {
      L.setOptions(this, options);
      this.sheets = [];
      this._wanted = false;
    },

    onAdd(map) {
      const pane = map.getPane(this.options.pane);
      this._element = L.DomUtil.create("canvas", "leaflet-zoom-animated", pane);
      this._element.setAttribute("aria-hidden", "true");
      this._element.style.pointerEvents = "none";
      this.context = this._element.getContext("2d", { willReadFrequently: true });
      this._draw();
    },

    onRemove() {
      this._element.remove();
    },

    getEvents() {
      return { moveend: this._draw, resize: this._draw, zoomanim: this._animate };
    },

    /* Draw once before the next frame, however often it is asked for. */
    redraw() {
      if (this._wanted || !this._map) return;
      this._wanted = true;
      requestAnimationFrame(() => this._draw());
    },

    _draw() {
      this._wanted = false;
      if (!this._map) return;
      const map = this._map;
      const size = map.getSize();
      const corner = map.containerPointToLayerPoint(size.multiplyBy(-PADDING)).round();
      const span = size.multiplyBy(1 + 2 * PADDING).round();
      const ratio = Math.min(window.devicePixelRatio || 1, 2);
      this._zoom = map.getZoom();
      this._centre = map.getCenter();
      this._element.width = span.x * ratio;
      this._element.height = span.y * ratio;
      this._element.style.width = span.x + "px";
      this._element.style.height = span.y + "px";
      L.DomUtil.setPosition(this._element, corner);
      this.context.scale(ratio, ratio);
      const view = digonce.view(map, corner, span);
      for (const sheet of this.sheets) sheet.draw(this.context, view);
    },

    _animate(event) {
      const map = this._map;
      const scale = map.getZoomScale(event.zoom, this._zoom);
      const half = map.getSize().multiplyBy(0.5 + PADDING);
      const centre = map.project(this._centre, event.zoom);
      const corner = half.multiplyBy(-scale).add(centre).subtract(map._getNewPixelOrigin(event.center, event.zoom));
      L.DomUtil.setTransform(this._element, corner, scale);
    },
  });

  /* How world pixels of zoom 0 become pixels of the canvas, and which part of the world is on it. */
  digonce.view = function (map, corner, span) {
    const scale = 2 ** map.getZoom();
    const origin = map.getPixelOrigin().add(corner);
    return {
      zoom: map.getZoom(),
      scale,
      dx: -origin.x,
      dy: -origin.y,
      width: span.x,
      height: span.y,
      box: [origin.x / scale, origin.y / scale, (origin.x + span.x) / scale, (origin.y + span.y) / scale],
      metresPerPixel: (40075016.7 * Math.cos((map.getCenter().lat * Math.PI) / 180)) / (256 * scale),
    };
  };

  digonce.Canvas = Canvas;

  /* A layer for Leaflet's layer control: on the map or not, it only shows or hides its sheet. */
  digonce.Switch = L.Layer.extend({
    initialize(key) {
      this.key = key;
      this.isOn = false;
    },
    onAdd() {
      this.isOn = true;
      digonce.refresh(this.key);
    },
    onRemove() {
      this.isOn = false;
      digonce.refresh(this.key);
    },
  });

  digonce.switches = {};
  digonce.layer = function (key) {
    digonce.switches[key] = new digonce.Switch(key);
    return digonce.switches[key];
  };
})(window.digonce);
