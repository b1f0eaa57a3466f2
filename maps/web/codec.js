/* Reads the blobs that maps/payload.py writes: base64, deflate, a JSON header, then integer arrays in byte planes. */
"use strict";
window.digonce = window.digonce || {};

(function (digonce) {
  const STEPS_PER_DEGREE = 1e6;
  const WORLD = 256; // pixels of the whole world at zoom 0

  async function inflate(text) {
    const packed = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  function readArray(bytes, offset, meta) {
    const values = new Float64Array(meta.length);
    let total = 0;
    for (let i = 0; i < meta.length; i++) {
      let value = 0;
      for (let plane = meta.planes - 1; plane >= 0; plane--) {
        value = value * 256 + bytes[offset + plane * meta.length + i];
      }
      if (meta.signed) value = value % 2 ? -(value + 1) / 2 : value / 2;
      total = meta.delta ? total + value : value;
      values[i] = total;
    }
    return values;
  }

  async function decode(element) {
    const bytes = await inflate(element.textContent);
    const size = new DataView(bytes.buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
    const arrays = {};
    let offset = 4 + size;
    for (const meta of header.arrays) {
      arrays[meta.name] = readArray(bytes, offset, meta);
      offset += meta.planes * meta.length;
    }
    return { header, arrays, shapes: arrays.lon ? readShapes(arrays) : null };
  }

  /* Vertices in world pixels of zoom 0, where each part and feature begins, and the box of each feature. */
  function readShapes(arrays) {
    const count = arrays.parts.length;
    const total = arrays.lon.length;
    const shapes = {
      count,
      x: new Float64Array(total),
      y: new Float64Array(total),
      partAt: begins(arrays.vertices),
      featureAt: begins(arrays.parts),
      box: new Float64Array(count * 4),
    };
    for (let i = 0; i < total; i++) {
      const sine = Math.sin((arrays.lat[i] / STEPS_PER_DEGREE) * (Math.PI / 180));
      shapes.x[i] = WORLD * (arrays.lon[i] / STEPS_PER_DEGREE / 360 + 0.5);
      shapes.y[i] = WORLD * (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI));
    }
    for (let feature = 0; feature < count; feature++) measure(shapes, feature);
    return shapes;
  }

  function begins(lengths) {
    const starts = new Uint32Array(lengths.length + 1);
    for (let i = 0; i < lengths.length; i++) starts[i + 1] = starts[i] + lengths[i];
    return starts;
  }

  function measure(shapes, feature) {
    let west = Infinity, north = Infinity, east = -Infinity, south = -Infinity;
    const last = shapes.partAt[shapes.featureAt[feature + 1]];
    for (let i = shapes.partAt[shapes.featureAt[feature]]; i < last; i++) {
      west = Math.min(west, shapes.x[i]);
      east = Math.max(east, shapes.x[i]);
      north = Math.min(north, shapes.y[i]);
      south = Math.max(south, shapes.y[i]);
    }
    shapes.box.set([west, north, east, south], feature * 4);
  }

  /* Numbers are shifted off zero, which stands for a missing value. */
  function number(values, i, decimals) {
    const value = values[i];
    if (value === 0) return null;
    return (value > 0 ? value - 1 : value) / 10 ** decimals;
  }

  digonce.codec = { decode, number };
})(window.digonce);
