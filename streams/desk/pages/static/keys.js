'use strict';
// More keys beside desk.js, whose names it shares: several answers at once, verify, hand over, previous and next, go to a page.
const PLACES = {d: '/', c: '/city', s: '/series', r: '/detectors', u: '/duty'}, rows = $('#rows'), bar = $('#picked'), store = sessionStorage;
const picked = new Set(), keysOn = () => localStorage.keys !== '0';
let going = 0;

// x: rows are picked, one answer is for all of them.
const mark = () => {
  all('.row').forEach(r => r.classList.toggle('picked', picked.has(r.dataset.id)));
  show(bar, picked.size); text($('b', bar), say(W.picked, {n: picked.size})); bar.ids.value = [...picked].join();
};
const pick = () => { const r = row(at); if (!bar || !r?.classList.contains('ask')) return; picked.delete(at) || picked.add(at); mark(); };
const answerAll = e => {
  e.preventDefault(); e.stopImmediatePropagation();
  send('/answers', new FormData(bar)).then(r => {
    r.done?.forEach(id => picked.delete(id)); mark();
    text($('.err', bar), Object.values(r.refused || {})[0] || r.message || '');
    if (r.ok) off();
  }).catch(() => text($('.err', bar), lost()));
};
if (bar) {
  bar.addEventListener('submit', answerAll);
  new MutationObserver(() => picked.size && mark()).observe(rows, {childList: true, subtree: true});
}

// [ ]: the order of the list that one came from.
const near = n => { const l = (store.rows || '').split(','), i = l.indexOf(page?.warning), to = l[i + n]; if (i >= 0 && to) location = '/w/' + to; };
if (rows) addEventListener('pagehide', () => { store.rows = all('.row').map(r => r.dataset.id).join(); });

// What is open over the page closes at a click beside it, and at Esc.
const more = $('.more'), shut = () => { more.open = false; $('summary', more).focus(); };
addEventListener('click', e => { if (more?.open && !more.contains(e.target)) more.open = false; });

const answerOne = KEYS.a, escape = KEYS.Escape;
Object.assign(KEYS, {
  x: pick, v: () => click('a[href$="#verify"]') || focus('#verify textarea'), h: () => focus('#handover select'),
  '[': () => near(-1), ']': () => near(1), g: () => { going = Date.now(); },
  a: () => picked.size ? $('.in', bar).focus() : answerOne(),
  Escape: () => { if (more?.open) return shut(); if (!picked.size) return escape(); picked.clear(); mark(); off(); },
});
all('[data-key]').forEach(a => { KEYS[a.dataset.key] = () => a.click(); });
addEventListener('keydown', e => {
  if (e.ctrlKey || e.metaKey || e.altKey || (/INPUT|TEXTA|SELECT/.test(e.target.tagName) && e.key !== 'Escape')) return;
  if (!keysOn() && e.key.length === 1) return e.stopImmediatePropagation();
  if (Date.now() - going < 1500 && PLACES[e.key]) {
    e.preventDefault(); e.stopImmediatePropagation(); going = 0;
    const to = $(`.nav a[href="${PLACES[e.key]}"]`); if (to) to.click();
  }
}, true);
const sw = $('#keysoff');
if (sw) {
  const words = [sw.textContent, sw.dataset.on], said = () => text(sw, words[+!keysOn()]);
  sw.addEventListener('click', () => { localStorage.keys = keysOn() ? '0' : '1'; said(); });
  show(sw, true); said();
}
