'use strict';
(() => {
const byID = (id) => document.getElementById(id);
const facts = JSON.parse(document.body.dataset.facts);
const form = byID('form'), result = byID('result'), note = byID('note');
const fields = [...form.querySelectorAll('.field')].map((box) => ({
  box, ...box.dataset, input: box.querySelector('input, select'), hint: box.querySelector('.hint'),
}));

// writeTime writes a time as a layout of Go's package time does.
const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const parts = /2006|January|Jan|Monday|Mon|MST|Z07:00|-07:00|-0700|\.0+(?!\d)|01|02|03|04|05|06|15|PM|pm|_2|1|2|3|4|5/g;
function writeTime(t, layout) {
  if (layout === 'unix') return String(t.getTime() / 1000);
  const pad = (n) => String(n).padStart(2, '0');
  const y = t.getUTCFullYear(), mo = t.getUTCMonth(), d = t.getUTCDate(), h = t.getUTCHours(), h12 = h % 12 || 12;
  const mi = t.getUTCMinutes(), s = t.getUTCSeconds();
  return layout.replace(parts, (p) => ({
    '2006': String(y).padStart(4, '0'), '06': pad(y % 100), 'January': months[mo], 'Jan': months[mo].slice(0, 3), '01': pad(mo + 1), '1': mo + 1,
    'Monday': days[t.getUTCDay()], 'Mon': days[t.getUTCDay()].slice(0, 3), '02': pad(d), '_2': String(d).padStart(2, ' '), '2': d,
    '15': pad(h), '03': pad(h12), '3': h12, '04': pad(mi), '4': mi, '05': pad(s), '5': s, 'PM': h < 12 ? 'AM' : 'PM', 'pm': h < 12 ? 'am' : 'pm',
    'MST': 'UTC', 'Z07:00': 'Z', '-07:00': '+00:00', '-0700': '+0000',
  }[p] ?? '.' + '0'.repeat(p.length - 1)));
}

// read returns what a field says; null is a missing value. It throws what is wrong.
function read(f) {
  const { input, kind, type, layout } = f, v = input.value;
  if (kind === 'image') return input.files.length ? f.content : null;
  // What a browser cannot read it hands over as blank, which would be missing.
  if (input.validity.badInput || kind === 'number' && !Number.isFinite(Number(v))) {
    throw new Error(kind === 'number' ? 'this is not a number' : 'this date is not complete');
  }
  if (v === '') return null;
  if (type === 'boolean') return v === 'true';
  if (kind === 'number') return Number(v);
  if (kind === 'date') return writeTime(new Date(v + 'T00:00:00Z'), layout);
  if (kind === 'datetime') return writeTime(new Date(v + 'Z'), layout);
  return v;
}

const percent = (p) => {
  const digits = p > 0.9995 && p < 1 || p > 0 && p < 0.0005 ? 3 : 1;
  return (100 * p).toFixed(digits) + ' %';
};
const plain = (v, digits) => v.toLocaleString('en', { maximumSignificantDigits: digits });
const element = (tag, name, text) => {
  const e = document.createElement(tag);
  if (name) e.className = name;
  if (text !== undefined) e.textContent = text;
  return e;
};

// Bars are kept by class, so that they move instead of being drawn anew.
const bars = new Map();
function drawClasses(p) {
  const most = 6, all = Object.entries(p.probabilities);
  // Two classes keep their places, the positive one first; more are ranked.
  all.sort((a, b) => all.length > 2 ? b[1] - a[1] : (b[0] === facts.positive) - (a[0] === facts.positive));
  const shown = all.slice(0, most).map(([name, share]) => {
    let b = bars.get(name);
    if (!b) {
      b = { box: element('div', 'bar'), share: element('span', 'share'), fill: element('i') };
      const track = element('div', 'track');
      track.append(b.fill);
      if (name === facts.positive && facts.threshold !== 0.5) {
        const mark = element('b');
        mark.style.left = 100 * facts.threshold + '%';
        track.append(mark);
      }
      b.box.append(element('span', 'name', name), b.share, track);
      bars.set(name, b);
    }
    b.share.textContent = percent(share);
    b.fill.style.width = 100 * share + '%';
    b.box.classList.toggle('top', name === p.value);
    return b.box;
  });
  if (all.length > most) {
    const rest = all.slice(most).reduce((sum, [, share]) => sum + share, 0);
    shown.push(element('div', 'more', `${all.length - most} more classes, ${percent(rest)} together`));
  }
  if (all.length === 2 && facts.threshold !== 0.5) shown.push(element('div', 'more', `${facts.positive} from ${percent(facts.threshold)}`));
  byID('bars').replaceChildren(...shown);
  byID('value').textContent = p.value;
  byID('chance').textContent = percent(p.probability);
}

let scale, where;
function drawNumber(p) {
  byID('value').textContent = plain(p.value, 6);
  byID('chance').textContent = '';
  const [low, high] = facts.range || [];
  if (!(low < high)) return;
  if (!scale) {
    scale = element('u');
    where = element('span');
    const track = element('div', 'track scale'), ends = element('div', 'ends');
    track.append(scale);
    ends.append(element('span', '', plain(low, 4)), where, element('span', '', plain(high, 4)));
    byID('bars').replaceChildren(track, ends);
  }
  const at = (p.value - low) / (high - low);
  scale.style.left = 100 * Math.min(1, Math.max(0, at)) + '%';
  where.textContent = at > 1 ? 'above all training rows' : at < 0 ? 'below all training rows' : 'range of the training rows';
}

function fail(message, column) {
  const f = fields.find((f) => f.name === column);
  if (f) {
    f.box.classList.add('wrong');
    f.input.setAttribute('aria-invalid', 'true');
    f.hint.textContent = message;
  }
  note.textContent = f ? `${column}: ${message}` : message;
  note.hidden = false;
  result.classList.add('stale');
}

const quote = (s) => "'" + s.replaceAll("'", "'\\''") + "'";
function showCommand(row) {
  const lines = ['curl ' + location.origin + '/v1/predict'];
  const pictures = fields.filter((f) => f.kind === 'image');
  if (pictures.length) { // a file is sent as one
    if (facts.key) lines.push('-H "Authorization: Bearer $HONE_SERVE_KEY"');
    for (const f of fields) {
      const file = f.kind === 'image' && f.input.files[0];
      lines.push('-F ' + quote(f.name + '=' + (f.kind === 'image' ? '@' + (file ? file.name : 'FILE') : row[f.name] ?? '')));
    }
    byID('curl').textContent = lines.join(' \\\n  ');
    return;
  }
  if (facts.key) lines.push('-H "Authorization: Bearer $HONE_SERVE_KEY"');
  lines.push("-H 'Content-Type: application/json'", '-d ' + quote(JSON.stringify({ row })));
  byID('curl').textContent = lines.join(' \\\n  ');
}

let asked = 0;
async function predict() {
  const turn = ++asked, row = {};
  for (const f of fields) {
    f.box.classList.remove('wrong');
    f.box.classList.toggle('blank', f.input.value === '');
    f.input.removeAttribute('aria-invalid');
    f.hint.textContent = f.hint.dataset.hint;
  }
  for (const f of fields) {
    try {
      row[f.name] = read(f);
    } catch (e) {
      fail(e.message, f.name);
      return;
    }
  }
  showCommand(row);
  let reply;
  try {
    const r = await fetch(location.origin + '/v1/predict', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ row }) });
    reply = await r.json();
  } catch {
    reply = { error: { message: 'The server does not answer. Is it still running?' } };
  }
  if (turn !== asked) return; // a later question was put meanwhile
  byID('reply').textContent = JSON.stringify(reply, null, 2);
  if (reply.error) {
    let { message, column } = reply.error;
    const prefix = `column ${JSON.stringify(column)}: `;
    if (message.startsWith(prefix)) message = message.slice(prefix.length);
    fail(message, column);
    return;
  }
  note.hidden = true;
  result.classList.remove('stale');
  const p = reply.predictions[0][facts.target];
  if (facts.task === 'regression') drawNumber(p);
  else drawClasses(p);
  byID('others').replaceChildren(...facts.others.map((name) => {
    const o = reply.predictions[0][name];
    const text = o.probability === undefined ? plain(o.value, 6) : `${o.value} ${percent(o.probability)}`;
    return element('p', 'more', `${name}: ${text}`);
  }));
}

let wait;
const soon = () => { clearTimeout(wait); wait = setTimeout(predict, 120); };
form.addEventListener('input', (e) => { if (e.target.type !== 'file') soon(); });
for (const f of fields.filter((f) => f.kind === 'image')) {
  f.input.addEventListener('change', () => {
    const file = f.input.files[0];
    if (!file) return;
    const reader = new FileReader();
    reader.addEventListener('load', () => { f.content = reader.result.split(',')[1] || ''; predict(); });
    reader.readAsDataURL(file);
  });
}
form.addEventListener('reset', () => setTimeout(predict));
form.addEventListener('submit', (e) => { e.preventDefault(); predict(); });
byID('clear').addEventListener('click', () => {
  for (const f of fields) f.input.value = '';
  predict();
});
for (const b of document.querySelectorAll('.copy')) {
  b.addEventListener('click', async () => {
    const pre = byID(b.dataset.of);
    try {
      await navigator.clipboard.writeText(pre.textContent);
      b.textContent = 'Copied';
    } catch { // where the clipboard is not allowed, it is marked for copying by hand
      getSelection().selectAllChildren(pre);
      b.textContent = 'Marked';
    }
    setTimeout(() => { b.textContent = 'Copy'; }, 1500);
  });
}
predict();
})();
