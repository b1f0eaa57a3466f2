/* Sheets: features of one kind with their style, drawing and a grid to find what lies under a click. */
"use strict";

(function (digonce) {
  const MANY = 10000; // more lines in view than this are drawn as hairlines below zoom 16: wide lines cost ten times as much
  const CELLS = 256;
  const HATCH_FROM = 3; // metres a pixel: a street is a few pixels wide then

  class Grid {
    constructor(shapes) {
      this.shapes = shapes;
      const box = shapes.box;
      let west = Infinity, north = Infinity, east = -Infinity, south = -Infinity;
      for (let i = 0; i < shapes.count; i++) {
        west = Math.min(west, box[4 * i]);
        north = Math.min(north, box[4 * i + 1]);
        east = Math.max(east, box[4 * i + 2]);
        south = Math.max(south, box[4 * i + 3]);
      }
      this.west = west;
      this.north = north;
      this.step = Math.max((east - west) / CELLS, (south - north) / CELLS, 1e-9);
      this.cells = new Map();
      for (let i = 0; i < shapes.count; i++) {
        this._each(box[4 * i], box[4 * i + 1], box[4 * i + 2], box[4 * i + 3], (key) => {
          const cell = this.cells.get(key);
          if (cell) cell.push(i);
          else this.cells.set(key, [i]);
        });
      }
    }

    _each(west, north, east, south, visit) {
      const column = (x) => Math.min(CELLS, Math.max(-1, Math.floor((x - this.west) / this.step)));
      const row = (y) => Math.min(CELLS, Math.max(-1, Math.floor((y - this.north) / this.step)));
      for (let r = row(north); r <= row(south); r++) {
        for (let c = column(west); c <= column(east); c++) visit(r * (CELLS + 2) + c);
      }
    }

    /* Features whose box comes within `reach` of the point, each once. */
    near(x, y, reach) {
      const found = new Set();
      this._each(x - reach, y - reach, x + reach, y + reach, (key) => {
        for (const i of this.cells.get(key) || []) found.add(i);
      });
      const box = this.shapes.box;
      return [...found].filter(
        (i) => box[4 * i] <= x + reach && box[4 * i + 2] >= x - reach && box[4 * i + 1] <= y + reach && box[4 * i + 3] >= y - reach,
      );
    }
  }

  class Sheet {
    constructor(key, spec, data) {
      this.key = key;
      this.spec = spec;
      this.header = data.header;
      this.arrays = data.arrays;
      this.shapes = data.shapes;
      this.count = data.shapes ? data.shapes.count : 0;
      this.drawn = 0;
      this.setClasses(spec.class_column, spec.classes);
    }

    /* Colour the features by one column of class numbers. */
    setClasses(column, classes) {
      this.classes = classes;
      this.classOf = this.arrays[column];
    }

    get grid() {
      if (!this._grid) this._grid = new Grid(this.shapes);
      return this._grid;
    }

    /* Features in view, one list per class; counts them as drawn. */
    visible(view) {
      const buckets = this.classes.map(() => []);
      const box = this.shapes.box;
      const [west, north, east, south] = view.box;
      this.drawn = 0;
      for (let i = 0; i < this.count; i++) {
        if (box[4 * i] > east || box[4 * i + 2] < west || box[4 * i + 1] > south || box[4 * i + 3] < north) continue;
        buckets[this.classOf ? this.classOf[i] : 0].push(i);
        this.drawn += 1;
      }
      return buckets;
    }

    trace(context, view, i) {
      const { x, y, partAt, featureAt } = this.shapes;
      for (let part = featureAt[i]; part < featureAt[i + 1]; part++) {
        for (let v = partAt[part]; v < partAt[part + 1]; v++) {
          const px = x[v] * view.scale + view.dx;
          const py = y[v] * view.scale + view.dy;
          if (v === partAt[part]) context.moveTo(px, py);
          else context.lineTo(px, py);
        }
      }
    }

    draw(context, view) {
      this.drawn = 0;
      if (!this.count || !digonce.switches[this.spec.switch].isOn) return;
      const buckets = this.visible(view);
      context.save();
      context.lineCap = "round";
      context.lineJoin = "round";
      this.paint(context, view, buckets);
      context.restore();
    }

    /* Squared distance in world pixels from a point to the nearest line of a feature. */
    distance(i, x, y) {
      const { partAt, featureAt } = this.shapes;
      let best = Infinity;
      for (let part = featureAt[i]; part < featureAt[i + 1]; part++) {
        for (let v = partAt[part]; v < partAt[part + 1]; v++) {
          best = Math.min(best, this._toEdge(v, v + 1 < partAt[part + 1] ? v + 1 : v, x, y));
        }
      }
      return best;
    }

    _toEdge(a, b, x, y) {
      const X = this.shapes.x, Y = this.shapes.y;
      const ex = X[b] - X[a], ey = Y[b] - Y[a];
      const square = ex * ex + ey * ey;
      const share = square ? Math.min(1, Math.max(0, ((x - X[a]) * ex + (y - Y[a]) * ey) / square)) : 0;
      return (X[a] + share * ex - x) ** 2 + (Y[a] + share * ey - y) ** 2;
    }

    contains(i, x, y) {
      const { partAt, featureAt } = this.shapes;
      const X = this.shapes.x, Y = this.shapes.y;
      let isInside = false;
      for (let part = featureAt[i]; part < featureAt[i + 1]; part++) {
        for (let a = partAt[part], b = partAt[part + 1] - 1; a < partAt[part + 1]; b = a++) {
          if (Y[a] > y !== Y[b] > y && x < ((X[b] - X[a]) * (y - Y[a])) / (Y[b] - Y[a]) + X[a]) isInside = !isInside;
        }
      }
      return isInside;
    }

    /* The feature under a point, or -1. */
    hit(x, y, reach) {
      if (!this.count || !digonce.switches[this.spec.switch].isOn) return -1;
      let best = -1;
      let least = reach * reach;
      for (const i of this.grid.near(x, y, reach)) {
        const square = this.spec.shape === "polygon" && this.contains(i, x, y) ? 0 : this.distance(i, x, y);
        if (square <= least) {
          best = i;
          least = square;
        }
      }
      return best;
    }

    /* Every feature under a point. */
    hits(x, y, reach) {
      if (!this.count || !digonce.switches[this.spec.switch].isOn) return [];
      const isHit = (i) => (this.spec.shape === "polygon" && this.contains(i, x, y)) || this.distance(i, x, y) <= reach * reach;
      return this.grid.near(x, y, reach).filter(isHit);
    }

    /* Box of some features as [west, north, east, south] in world pixels. */
    boxOf(features) {
      const box = this.shapes.box;
      const whole = [Infinity, Infinity, -Infinity, -Infinity];
      for (const i of features) {
        whole[0] = Math.min(whole[0], box[4 * i]);
        whole[1] = Math.min(whole[1], box[4 * i + 1]);
        whole[2] = Math.max(whole[2], box[4 * i + 2]);
        whole[3] = Math.max(whole[3], box[4 * i + 3]);
      }
      return whole;
    }
  }

  /* Signs grow with the zoom: a third of their size for a whole city, full size at zoom 16, somewhat more beyond. */
  digonce.growth = (zoom) => Math.min(1.6, Math.max(0.35, 1 + (zoom - 16) * 0.22));

  class Lines extends Sheet {
    width(stroke, view, isMany) {
      // a band shows on both sides of the overlaps that are drawn on it
      if (this.spec.is_band) return Math.max(stroke.width * 2.8 * digonce.growth(view.zoom), 9 / Math.max(view.metresPerPixel, 0.4));
      if (isMany && view.zoom < 16) return 1;
      return Math.max(1, stroke.width * digonce.growth(view.zoom));
    }

    paint(context, view, buckets) {
      const isMany = this.drawn > MANY;
      context.globalAlpha = this.spec.opacity ?? 1;
      buckets.forEach((features, code) => {
        if (!features.length) return;
        const stroke = this.classes[code];
        context.strokeStyle = stroke.colour;
        context.lineWidth = this.width(stroke, view, isMany);
        context.beginPath();
        for (const i of features) this.trace(context, view, i);
        context.stroke();
      });
    }
  }

  /* Roads of the base map: a casing below, the surface above, as wide as they are once that is more than a hairline. */
  class Roads extends Sheet {
    paint(context, view, buckets) {
      const metres = (stroke) => Math.max(stroke.width * 0.34, (stroke.width * 2.6) / view.metresPerPixel);
      for (const isCasing of [true, false]) {
        buckets.forEach((features, code) => {
          if (!features.length) return;
          const width = Math.min(metres(this.classes[code]), 40);
          context.strokeStyle = isCasing ? digonce.config.road_casing : this.classes[code].colour;
          context.lineWidth = isCasing ? width + 1.4 : width;
          context.beginPath();
          for (const i of features) this.trace(context, view, i);
          context.stroke();
        });
      }
    }
  }

  class Polygons extends Sheet {
    paint(context, view, buckets) {
      buckets.forEach((features, code) => {
        if (!features.length) return;
        const stroke = this.classes[code];
        context.fillStyle = stroke.colour;
        context.strokeStyle = this.spec.outline === "class" ? stroke.colour : this.spec.outline;
        context.lineWidth = stroke.width;
        context.setLineDash(this.spec.dash || []);
        // Each alone: in one path, features that overlap would cut holes into each other.
        for (const i of features) this.paintOne(context, view, i);
      });
    }

    paintOne(context, view, i) {
      context.beginPath();
      this.trace(context, view, i);
      context.globalAlpha = this.spec.opacity ?? 1;
      if (this.spec.hatch) context.fillStyle = this.hatch(context, view);
      context.fill("evenodd");
      if (!this.spec.outline) return;
      context.globalAlpha = 1;
      context.stroke();
    }
  }

  /* Ground drawn with slanted lines, so that the pipes and projects below stay in sight. */
  class Hatched extends Polygons {
    /* A tile of lines that rise to the right (1) or fall, wider apart (-1); pale where the city is too small for lines. */
    hatch(context, view) {
      if (view.metresPerPixel > HATCH_FROM) return this.classes[0].colour + "66";
      if (this._hatch) return this._hatch;
      const rises = this.spec.hatch > 0;
      const step = rises ? 7 : 11;
      const tile = document.createElement("canvas");
      tile.width = tile.height = step;
      const lines = tile.getContext("2d");
      lines.strokeStyle = this.classes[0].colour;
      lines.lineWidth = 1.3;
      lines.beginPath();
      for (const shift of [-step, 0, step]) {
        lines.moveTo(shift - 1, rises ? step + 1 : -1);
        lines.lineTo(shift + step + 1, rises ? -1 : step + 1);
      }
      lines.stroke();
      this._hatch = context.createPattern(tile, "repeat");
      return this._hatch;
    }
  }

  class Points extends Sheet {
    paint(context, view, buckets) {
      // from afar many fall together, and a city full of them must still show its pipes
      const size = digonce.growth(view.zoom) * (view.zoom < 14 ? 0.7 : 1);
      context.lineWidth = 1;
      context.strokeStyle = "#ffffff";
      buckets.forEach((features, code) => {
        if (!features.length) return;
        const stroke = this.classes[code];
        const radius = stroke.width * size;
        context.fillStyle = stroke.colour;
        context.beginPath();
        for (const i of features) {
          const x = this.shapes.x[i] * view.scale + view.dx;
          const y = this.shapes.y[i] * view.scale + view.dy;
          if (this.spec.is_square) {
            context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
          } else {
            context.moveTo(x + radius, y);
            context.arc(x, y, radius, 0, 2 * Math.PI);
          }
        }
        context.fill();
        if (view.zoom >= 15) context.stroke();
      });
    }
  }

  digonce.makeSheet = function (spec, data) {
    const kinds = { line: Lines, polygon: Polygons, point: Points };
    const Kind = spec.key === "roads" ? Roads : spec.hatch ? Hatched : kinds[spec.shape];
    return new Kind(spec.key, spec, data);
  };
})(window.digonce);
