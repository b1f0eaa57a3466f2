/* Popups: facts of one feature or of one place. Everything that comes from a file enters as text, never as HTML. */
"use strict";

(function (digonce) {
  const FACTORS = 3;

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function spoken(both) {
    return typeof both === "string" ? both : both[digonce.language];
  }

  function word(code, values = {}) {
    return spoken(digonce.config.words[code]).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  }

  function figure(value, decimals) {
    return value.toLocaleString("en-US", { minimumFractionDigits: 0, maximumFractionDigits: decimals });
  }

  /* The value of a fact as text, or null where it is missing. */
  function factText(sheet, fact, i) {
    const values = sheet.arrays[fact.key];
    if (fact.kind === "listed" || fact.kind === "text") {
      return values[i] ? spoken(fact.values[values[i] - 1]) : null;
    }
    const value = digonce.codec.number(values, i, fact.decimals);
    if (value === null) return null;
    if (fact.kind === "day") return new Date(value * 86400000).toISOString().slice(0, 10);
    if (fact.kind === "year") return String(value);
    if (fact.per_unit) {
      const unit = fact.per_unit[digonce.language];
      return figure(value / unit, fact.decimals + Math.log10(unit)) + " " + spoken(fact.unit);
    }
    return figure(value, fact.decimals) + (fact.unit ? " " + spoken(fact.unit) : "");
  }

  function row(list, label, text) {
    list.append(element("dt", "", label), element("dd", "", text));
  }

  function head(body, kind, title) {
    body.append(element("p", "kind", kind), element("h3", "", title));
  }

  function facts(body, sheet, i) {
    const list = element("dl"), wide = element("dl", "wide");
    for (const fact of sheet.header.facts) {
      if (fact.is_hidden) continue;
      const text = factText(sheet, fact, i);
      if (text !== null) row(fact.is_wide ? wide : list, spoken(fact.label), text);
    }
    if (wide.children.length) body.append(wide);
    body.append(list);
  }

  function badges(body, sheet, i) {
    const strip = element("p", "badges");
    for (const view of digonce.config.views) {
      if (!view.is_badge) continue;
      const stroke = view.classes[sheet.arrays[view.column][i]];
      if (!stroke) continue;
      const badge = element("span", "badge", spoken(stroke.label));
      badge.style.setProperty("--colour", stroke.colour);
      strip.append(badge);
    }
    body.append(strip);
  }

  function factors(body, sheet, i) {
    const names = sheet.header.factors;
    if (!names || !sheet.arrays.factor_1[i]) return;
    body.append(element("h4", "", word("maps_web_factors")));
    const list = element("dl");
    for (let rank = 1; rank <= FACTORS; rank++) {
      const code = sheet.arrays["factor_" + rank][i];
      if (!code) continue;
      const factor = Math.exp(digonce.codec.number(sheet.arrays["factor_ln_" + rank], i, 2));
      row(list, spoken(names[code - 1]), "× " + figure(factor, 2));
    }
    body.append(list);
  }

  function overlaps(body, sheet, i) {
    const links = sheet.arrays.link_segment;
    const first = links ? links.indexOf(i) : -1;
    if (first < 0) return;
    body.append(element("h4", "", word("maps_web_overlaps")));
    const list = element("dl", "wide");
    for (let k = first; k < links.length && links[k] === i; k++) {
      const project = sheet.header.link_projects[sheet.arrays.link_project[k]];
      const metres = figure(sheet.arrays.link_dm[k] / 10, 1);
      const when = word(sheet.arrays.link_meets[k] ? "maps_web_same_time" : "maps_web_other_time");
      row(list, project.name, word("maps_web_overlap_line", { metres, when, days: project.days }));
    }
    body.append(list);
  }

  function feature(sheet, i) {
    const body = element("article", "facts");
    head(body, sheet.key === "segments" ? word("maps_web_kind_segment") : spoken(sheet.spec.label), sheet.header.ids[i]);
    if (sheet.key === "segments") badges(body, sheet, i);
    facts(body, sheet, i);
    if (sheet.key === "segments") {
      factors(body, sheet, i);
      overlaps(body, sheet, i);
    }
    return body;
  }

  /* Several features that lie one on another. */
  function features(found) {
    const body = element("div", "stacked");
    body.append(...found.map(([sheet, i]) => feature(sheet, i)));
    return body;
  }

  /* A street or compound: its segments, and their kilometres by class of the view that is on. */
  function place(kind, name, segments) {
    const sheet = digonce.sheets.segments;
    const view = digonce.config.views.find((one) => one.key === digonce.viewKey);
    const body = element("article", "facts");
    head(body, word("maps_web_kind_" + kind), name);
    const list = element("dl");
    const metres = view.classes.map(() => 0);
    for (const i of segments) {
      metres[sheet.arrays[view.column][i]] += digonce.codec.number(sheet.arrays.length_m, i, 1) || 0;
    }
    const total = metres.reduce((sum, value) => sum + value, 0);
    row(list, word("maps_web_segment_count"), figure(segments.length, 0));
    row(list, word("maps_web_total"), word("maps_web_km", { km: figure(total / 1000, 3) }));
    body.append(list, element("h4", "", spoken(view.label)));
    const split = element("dl");
    for (let code = view.classes.length - 1; code >= 0; code--) {
      if (metres[code] > 0) row(split, spoken(view.classes[code].label), word("maps_web_km", { km: figure(metres[code] / 1000, 3) }));
    }
    body.append(split);
    return body;
  }

  digonce.popup = { feature, features, place, spoken, word, element };
})(window.digonce);
