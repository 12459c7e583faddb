'use strict';
const D = document, root = D.documentElement, set = root.dataset, $ = (s, e = D) => e.querySelector(s), all = s => [...D.querySelectorAll(s)];
const W = JSON.parse(set.words), skew = set.now - Date.now(), now = () => Date.now() + skew;
const say = (w, o) => w.replace(/\{(\w+)\}/g, (_, k) => o[k]), show = (e, on) => { if (e) e.hidden = !on; }, text = (e, t) => { if (e) e.textContent = t; }, row = id => $('#w' + id);
const clock = t => new Date(t + 288e5).toISOString().slice(11, 19);
const mmss = s => Math.floor(s / 60) + ':' + String(s % 60).padStart(2, '0'), left = t => Math.round((t - now()) / 1000);
const parse = h => new DOMParser().parseFromString(h, 'text/html').body.firstElementChild, reload = () => location.reload();
const snd = $('#sound'), page = $('[data-warning]')?.dataset, off = () => D.activeElement.blur();

// Computed from the server's clock, never decremented: a hidden tab runs its timers late.
const tick = () => {
  text($('#clock'), clock(now()));
  all('time[data-until]').forEach(e => { const s = left(e.dataset.until); text(e, (s < 0 ? '+' : '') + mmss(Math.abs(s)));
    $('rect', e.parentNode)?.setAttribute('width', Math.max(0, 100 * s / e.dataset.span)); });
  if (pending.size && !held()) settle();
  if (now() - seen > 15000) offline(true);
  ring(); label();
};

// Nothing moves under the hand: while a row is hovered, focused or open, changes of order wait.
let at;
const pending = new Map(), held = () => !!$('.row:hover,.row:focus-within,.row details[open]');
const place = li => {
  const l = $(`[data-section=${li.dataset.sect}] .rows`);
  l?.insertBefore(li, [...l.children].find(x => x !== li && x.dataset.order > li.dataset.order) || null);
};
const count = () => {
  all('[data-section]').forEach(s => { const n = s.querySelectorAll('.row').length; show(s, n); text($('.n', s), n); });
  show($('#empty'), !$('.row') && !$('#showall'));
  show($('#changes'), pending.size); text($('#changes b'), say(W.changes, {n: pending.size}));
};
const settle = () => { pending.forEach((li, id) => { row(id)?.remove(); if (li) place(li); }); pending.clear(); count(); };
const swap = html => {
  const li = parse(html), id = li.dataset.id, old = row(id), was = pending.get(id) || old;
  if (was && +was.dataset.rev > +li.dataset.rev) return;
  alarm(li, was);
  if (id === at) li.ariaSelected = true;
  const busy = old && ($('details[open]', old) || old.contains(D.activeElement)), stays = old?.dataset.order === li.dataset.order;
  if (busy && stays && old.dataset.rev === li.dataset.rev) return;
  if (busy || (held() && !stays)) { pending.set(id, li); if (old && !busy) old.replaceWith(li.cloneNode(true)); }
  else { pending.delete(id); old?.replaceWith(li); place(li); }
  count();
};
const gone = id => { if (held() && row(id)) pending.set(id, null); else { pending.delete(id); row(id)?.remove(); } count(); };
const tally = html => {
  if (!$('#tally')) return;
  $('#tally').replaceWith(parse(html));
  const d = $('#tally').dataset; $('#icon').href = d.icon;
  D.title = (+d.ask ? `(${d.ask}) ` : '') + D.title.replace(/^\(\d+\) /, '');
};

let seen = now(), poll, es;
const lost = () => say(W.offline, {time: clock(seen)});
const offline = on => {
  root.classList.toggle('off', on); show($('#offline'), on);
  text($('#offline b'), lost());
  poll = on ? poll || setInterval(listen, 10000) : clearInterval(poll);
};
const fresher = () => all('textarea').some(t => t.value) || $('form :focus') ? show($('#fresher'), true) : reload();
const listen = () => {
  es?.close(); es = new EventSource(`/events?after=${set.seq}&${location.search.slice(1)}`);
  const on = (k, f) => es.addEventListener(k, e => { seen = now(); if (e.lastEventId) set.seq = e.lastEventId; f(e.data); });
  on('row', h => { if (!page) return swap(h); const d = parse(h).dataset; if (d.id === page.warning && +d.rev > page.rev) fresher(); });
  on('gone', id => page ? id === page.warning && fresher() : gone(id)); on('tally', tally); on('reload', reload);
  on('beat', t => {
    const b = JSON.parse(t); offline(false); show($('#noleader'), !b.leader); show($('#catching'), !b.live);
    text($('#live'), b.age ? say(W.live, b) : W.live_none); text($('#scene'), b.scene);
  });
};

// Every 20 s until an answer. A new red ends a mute.
let audio, last = 0;
const wake = () => { audio = audio || new AudioContext(); audio.resume().then(() => show($('#nosound'), false)); };
const heard = () => audio?.state === 'running', muted = () => snd && left(snd.dataset.until) > 0;
const beep = red => { for (let i = 0; i < (red ? 3 : 2); i++) {
  const o = audio.createOscillator(), g = audio.createGain(), t = audio.currentTime + i / 4;
  o.frequency.value = red ? 880 : 660; g.gain.value = .2; o.connect(g).connect(audio.destination); o.start(t); o.stop(t + .15);
} };
const ring = () => {
  const w = [...all('.row.ask'), ...pending.values()].filter(x => x?.dataset.sound);
  if (w.length && !muted() && heard() && now() - last >= 20000) { last = now(); beep(w.some(x => x.dataset.sound === 'red')); }
};
const alarm = (li, was) => {
  const s = li.dataset.sound; if (!snd || !s || was?.dataset.sound === s) return;
  if (s === 'red') snd.dataset.until = 0;
  last = 0; text($('#shout'), $('.lvl', li).textContent + $('.what a', li).textContent); setTimeout(ring);
};
const label = () => { text(snd?.firstChild, (muted() ? `${W.off} ${mmss(left(snd.dataset.until))}` : W.on) + ' '); };
const mute = () => heard() ? send('/mute', {csrf: set.csrf, seconds: muted() ? 0 : 600}).then(r => { snd.dataset.until = r.until || 0; label(); }) : wake();

// Forms by fetch; nothing typed is lost.
const send = (url, o) => fetch(url, {method: 'POST', headers: {Accept: 'application/json'}, body: new URLSearchParams(o)}).then(r => r.json());
addEventListener('submit', e => {
  const f = e.target, err = $('.err', f), b = $('button', f), tell = m => { b.disabled = false; text(err, m); show(err, m); };
  if (!err) return;
  e.preventDefault(); b.disabled = true;
  send(f.action, new FormData(f)).then(r => {
    if (page && r.ok) return reload();
    tell(r.message || '');
    if (!page && r.row && (r.ok || r.error === 'err.raced')) { f.closest('details').open = false; off(); swap(r.row); settle(); }
  }).catch(() => tell(lost()));
});

const go = r => { if (!r) return; all('.row').forEach(x => x.ariaSelected = null); r.ariaSelected = true; at = r.dataset.id; r.scrollIntoView({block: 'nearest'}); };
const step = n => { const l = all('.row'), i = l.indexOf(row(at)); go(l[i < 0 ? 0 : Math.max(0, Math.min(l.length - 1, i + n))]); };
const click = s => row(at) && $(s, row(at))?.click(), focus = s => $(s)?.focus();
const KEYS = {
  j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1), o: () => click('.what a'), Enter: () => KEYS.o(),
  n: () => { const l = all('.ask'); go(l[(l.indexOf(row(at)) + 1) % l.length]); },
  a: () => { const r = row(at) || $('.ask'), d = r && $('.do', r); if (d) { go(r); d.open = true; $('.in,button', d).focus(); } else focus('#answer button,#answer_for textarea'); },
  d: () => click('a[href$="#do"]') || focus('#news textarea'), c: () => click('a[href$="#close"]') || focus('#close textarea'),
  '/': () => focus('.search'), '.': settle, m: mute, t: () => $('#theme button').click(), l: () => $('#lang').click(), p: () => print(),
  '?': () => $('#keys')?.scrollIntoView(), Escape: () => { const d = $('.do[open]'); if (d) d.open = false; else $('#back,#showall')?.click(); },
};
addEventListener('keydown', e => {
  if (e.ctrlKey || e.metaKey || e.altKey || (/INPUT|TEXTA|SELECT/.test(e.target.tagName) && e.key !== 'Escape')) return;
  if ((e.key === 'Enter' && e.target !== D.body) || !KEYS[e.key]) return;
  e.preventDefault(); KEYS[e.key]();
});
const on = (s, k, f) => $(s)?.addEventListener(k, f);
on('#changes button', 'click', () => { off(); settle(); }); on('#nosound button', 'click', wake); on('#sound', 'click', mute);
on('#print', 'click', () => print()); on('#post select', 'change', e => e.target.form.submit());
show($('#print'), true); show(snd, true); show($('#take'), false);
if (snd) { wake(); show($('#nosound'), !heard()); }
listen(); tick(); setInterval(tick, 1000);
