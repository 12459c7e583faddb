// Contrast and hue of everything that is drawn: text against its ground, level shapes by edge or fill, no green anywhere.
() => {
  const rgb = s => { const m = s.match(/[\d.]+/g); return m && s !== 'none' ? m.map(Number) : null; };
  const clear = c => !c || c[3] === 0;
  const lum = c => [0, 1, 2].map(i => c[i] / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0);
  const ratio = (a, b) => { const [x, y] = [lum(a), lum(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (!clear(c)) return c; } return [255, 255, 255]; };
  const green = c => { const [r, g, b] = c.map(v => v / 255), hi = Math.max(r, g, b), lo = Math.min(r, g, b), d = hi - lo; if (!d) return false;
    const h = 60 * (hi === r ? ((g - b) / d + 6) % 6 : hi === g ? (b - r) / d + 2 : (r - g) / d + 4), l = (hi + lo) / 2;
    return h >= 90 && h <= 160 && d / (1 - Math.abs(2 * l - 1)) > .25; };
  const out = {texts: 0, shapes: 0, bad: []}, seen = e => e.getClientRects().length && !e.closest('.sr,[hidden],defs,symbol');
  for (const e of document.querySelectorAll('body *')) {
    if (!seen(e)) continue;
    const s = getComputedStyle(e), own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    for (const k of ['color', 'backgroundColor', 'borderLeftColor', 'fill', 'stroke']) { const c = rgb(s[k]); if (!clear(c) && green(c)) out.bad.push(['green', k, e.outerHTML.slice(0, 80)]); }
    if (!own || e.closest('[disabled],option')) continue;
    const ink = rgb(e.closest('svg') ? s.fill : s.color); if (clear(ink) || e.closest('.lv')) continue;
    out.texts++;
    const r = ratio(ink, ground(e)); if (r < 4.5) out.bad.push(['text', +r.toFixed(2), e.outerHTML.slice(0, 100)]);
  }
  for (const u of document.querySelectorAll('.lv use')) {
    if (!seen(u)) continue;
    const shape = document.querySelector(u.getAttribute('href') + ' > *'), s = getComputedStyle(shape), g = ground(u.closest('svg')); out.shapes++;
    const best = Math.max(...['fill', 'stroke'].map(k => rgb(s[k])).filter(c => !clear(c)).map(c => ratio(c, g)));
    if (best < 3) out.bad.push(['shape', best, u.outerHTML]);
    const t = document.querySelector(u.getAttribute('href') + ' text'), n = ratio(rgb(getComputedStyle(t).fill), rgb(s.fill));
    if (n < 4.5) out.bad.push(['numeral', n, u.outerHTML]);
  }
  return out;
}
