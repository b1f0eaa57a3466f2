/* Names of streets and compounds, drawn where there is room for them. */
"use strict";

(function (digonce) {
  const FROM_ZOOM = 15;
  const APART = 260; // pixels between two labels of the same name
  const FONT = '"Noto Sans CJK SC", "Noto Sans SC", "Microsoft YaHei", "PingFang SC", sans-serif';

  class Labels {
    constructor(sheet, style) {
      this.sheet = sheet;
      this.style = style;
      this.fact = sheet.header.facts.find((fact) => fact.key === "name");
    }

    draw(context, view) {
      if (!this.fact || view.zoom < FROM_ZOOM || !digonce.switches[this.sheet.spec.switch].isOn) return;
      context.save();
      context.font = `${this.style.weight} 12px ${FONT}`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.lineJoin = "round";
      const taken = view.taken || (view.taken = []);
      for (const i of this.sheet.visible(view).flat()) {
        const code = this.sheet.arrays.name[i];
        if (code) this.place(context, view, taken, i, this.fact.values[code - 1]);
      }
      context.restore();
    }

    place(context, view, taken, i, text) {
      const width = context.measureText(text).width;
      const spot = this.style.isAlong ? this.along(view, i, width) : this.middle(view, i, width);
      if (!spot) return;
      const isTaken = taken.some(
        (other) => Math.hypot(other.x - spot.x, other.y - spot.y) < (other.text === text ? APART : (other.width + width) / 2 + 6),
      );
      if (isTaken) return;
      taken.push({ x: spot.x, y: spot.y, width, text });
      context.save();
      context.translate(spot.x, spot.y);
      context.rotate(spot.angle);
      context.strokeStyle = "rgba(255,255,255,0.92)";
      context.lineWidth = 3.5;
      context.strokeText(text, 0, 0);
      context.fillStyle = this.style.colour;
      context.fillText(text, 0, 0);
      context.restore();
    }

    middle(view, i, width) {
      const [west, north, east, south] = this.sheet.boxOf([i]);
      if ((east - west) * view.scale < width * 0.8) return null;
      return { x: ((west + east) / 2) * view.scale + view.dx, y: ((north + south) / 2) * view.scale + view.dy, angle: 0 };
    }

    /* The longest straight run of the line within the view that carries the text. */
    along(view, i, width) {
      const { x, y, partAt, featureAt } = this.sheet.shapes;
      let best = null;
      let longest = width * 1.15;
      for (let v = partAt[featureAt[i]]; v + 1 < partAt[featureAt[i] + 1]; v++) {
        const ax = x[v] * view.scale + view.dx, ay = y[v] * view.scale + view.dy;
        const bx = x[v + 1] * view.scale + view.dx, by = y[v + 1] * view.scale + view.dy;
        const length = Math.hypot(bx - ax, by - ay);
        if (length < longest) continue;
        longest = length;
        let angle = Math.atan2(by - ay, bx - ax);
        if (angle > Math.PI / 2) angle -= Math.PI;
        if (angle <= -Math.PI / 2) angle += Math.PI;
        best = { x: (ax + bx) / 2, y: (ay + by) / 2, angle };
      }
      return best;
    }
  }

  digonce.Labels = Labels;
})(window.digonce);
