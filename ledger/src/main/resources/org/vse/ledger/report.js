'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const zone = data.zone;
  const clock = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit'
  });
  const when = t => clock.format(new Date(t));
  const fixed = n => n.toLocaleString('en', {minimumFractionDigits: 2, maximumFractionDigits: 2});
  const count = n => n.toLocaleString('en');

  /** Text goes in as text only: nothing of the data is ever read as HTML. */
  function el(name, attributes, ...inside) {
    const svg = ['svg', 'rect', 'path'].includes(name);
    const made = svg ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      made.setAttribute(key, value);
    }
    made.append(...inside);
    return made;
  }

  function printable(text) {
    return String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, c => '\\u' + c.codePointAt(0).toString(16).padStart(4, '0'));
  }

  function table(caption, columns, rows, numeric, last) {
    const head = el('tr', null, ...columns.map((c, i) => el('th', {scope: 'col', class: numeric(i) ? 'n' : ''}, c)));
    const body = el('tbody');
    rows.forEach((row, at) => {
      const line = el('tr', at === rows.length - 1 && last ? {class: 'total'} : null);
      row.forEach((cell, i) => line.append(
        cell instanceof Node ? el('td', {class: 'w'}, cell) : el('td', numeric(i) ? {class: 'n'} : cell.length > 24 ? {title: printable(cell)} : null, printable(cell))));
      body.append(line);
    });
    return el('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption},
      el('table', null, el('caption', null, caption), el('thead', null, head), body));
  }

  function bar(part) {
    return el('svg', {viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true'},
      el('rect', {x: 0, y: 0, width: Math.max(0.4, 100 * part), height: 10, rx: 1}));
  }

  const page = el('main');
  document.body.append(page);
  const span = (data.since ? when(data.since) : 'the beginning') + ' – ' + when(data.until || data.now);
  page.append(el('h1', null, data.title), el('p', {class: 'when'}, span + ' · times of ' + zone));

  if (!data.vms) {
    const rows = data.rows.map((row, i) => i < data.bars.length
      ? [...row, bar(data.bars[i] / (Math.max(...data.bars) || 1))] : [...row, '']);
    const title = data.title + (data.more ? ', the newest only' : '');
    page.append(el('section', {class: 'card'}, table(title, [...data.columns, 'Core hours'], rows,
      i => i >= data.keys && i < data.columns.length - 1, rows.length > data.bars.length)));
    return;
  }

  const now = Date.parse(data.now);
  const vms = data.vms.map((vm, n) => {
    const from = Date.parse(vm.started);
    const to = vm.ended ? Date.parse(vm.ended) : now;
    const state = vm.ended ? vm.why : 'RUNNING';
    const words = [vm.user, vm.job, vm.node, vm.name, vm.image, vm.queue, vm.account, state].join('\u0000').toLowerCase();
    return {n, vm, from, to: Math.max(from, to), state, words, lane: 0, top: 0, tall: 0};
  });
  const marks = (data.marks || []).filter(m => m.kind === 'CHECKPOINTED' || m.kind === 'RESTORED')
    .map(m => ({...m, time: Date.parse(m.at)}));
  const attempt = of => [of.cluster, of.job, of.attempt].join('\u0000');
  const marksOf = new Map();
  marks.forEach(m => marksOf.set(attempt(m), [...marksOf.get(attempt(m)) || [], m]));
  const moments = v => (marksOf.get(attempt(v.vm)) || [])
    .map(m => (m.kind === 'RESTORED' ? 'restored ' : 'checkpoint ') + when(m.time));
  const begin = data.since ? Date.parse(data.since) : vms.reduce((least, v) => Math.min(least, v.from), now);
  const end = Math.max(begin + 1000, Math.min(now, data.until ? Date.parse(data.until) : now));
  let view = {from: begin, to: end}, shown = vms, nodes = [], focus = null, colour = 'user';

  /* Tiles */
  const tiles = el('dl', {class: 'tiles'});
  function fillTiles() {
    const sum = key => shown.reduce((all, v) => all + (v.vm[key] || 0), 0);
    const distinct = key => new Set(shown.map(v => v.vm[key])).size;
    const tile = (name, value) => el('div', {class: 'tile'}, el('dt', null, name), el('dd', null, value));
    tiles.replaceChildren(
      tile('VMs', count(shown.length)), tile('running', count(shown.filter(v => !v.vm.ended).length)),
      tile('core hours', fixed(sum('coreSeconds') / 3600)), tile('CPU hours', fixed(sum('cpuNanos') / 3.6e12)),
      tile('nodes', count(distinct('node'))), tile('users', count(distinct('user'))), tile('jobs', count(distinct('job'))));
  }

  /* Tools */
  const search = el('input', {type: 'search', id: 'filter', placeholder: 'user, job, node, image, queue…', autocomplete: 'off'});
  const choose = el('select', {id: 'colour'},
    ...['user', 'image', 'state', 'queue', 'account'].map(key => el('option', {value: key}, key)));
  const whole = el('button', {type: 'button'}, 'Whole time');
  const found = el('span', {class: 'hint', role: 'status'});
  const tools = el('div', {class: 'tools'}, el('label', {for: 'filter'}, 'Filter', search),
    el('label', {for: 'colour'}, 'Colour by', choose), whole, found);

  /* Colours: hues as far apart as can be for the largest groups; the rest are grey. */
  const hues = [217, 28, 145, 340, 265, 48, 190, 0, 300, 95, 170, 240];
  let legendKeys = [];
  const keyOf = v => colour === 'state' ? v.state : v.vm[colour] || '–';
  function pickColours() {
    const sizes = new Map();
    shown.forEach(v => sizes.set(keyOf(v), (sizes.get(keyOf(v)) || 0) + v.vm.coreSeconds));
    legendKeys = [...sizes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, hues.length).map(e => e[0]);
  }
  const dark = matchMedia('(prefers-color-scheme: dark)');
  function fill(key) {
    const i = legendKeys.indexOf(key);
    return i < 0 ? (dark.matches ? '#5b6572' : '#a3acb8') : `hsl(${hues[i]} ${dark.matches ? '62% 60%' : '68% 50%'})`;
  }
  const legend = el('ul', {class: 'legend', 'aria-label': 'Colours'});
  function fillLegend() {
    const sample = (shape, text) => el('li', null, el('svg', {viewBox: '0 0 10 10', 'aria-hidden': 'true'}, shape), printable(text));
    const items = legendKeys.map(key => sample(el('rect', {width: 10, height: 10, rx: 2, fill: fill(key)}), key));
    if (new Set(shown.map(keyOf)).size > legendKeys.length) {
      items.push(sample(el('rect', {width: 10, height: 10, rx: 2, fill: fill(null)}), 'others'));
    }
    if (marks.some(m => m.kind === 'CHECKPOINTED')) {
      items.push(sample(el('path', {d: 'M5 0 10 5 5 10 0 5Z', fill: 'var(--mark)'}), 'checkpoint'));
    }
    if (marks.some(m => m.kind === 'RESTORED')) {
      items.push(sample(el('path', {d: 'M0 0 10 5 0 10Z', fill: 'var(--mark)'}), 'restored'));
    }
    if (shown.some(v => v.vm.evidence)) {
      items.push(sample(el('path', {d: 'M0 10 10 0M-2 4 4-2M6 12 12 6', stroke: 'currentColor', fill: 'none'}), 'end concluded'));
    }
    legend.replaceChildren(...items);
  }

  /* Lanes: each machine in the first lane of its node that is free. */
  function layOut() {
    const byNode = new Map();
    shown.forEach(v => byNode.has(v.vm.node) ? byNode.get(v.vm.node).push(v) : byNode.set(v.vm.node, [v]));
    const order = new Intl.Collator('en', {numeric: true});
    nodes = [...byNode].sort((a, b) => order.compare(a[0], b[0])).map(([name, list]) => {
      const free = [];
      list.sort((a, b) => a.from - b.from || a.n - b.n).forEach(v => {
        let lane = free.findIndex(until => until <= v.from);
        lane = lane < 0 ? free.length : lane;
        free[lane] = v.to;
        v.lane = lane;
      });
      return {name, list, lanes: free.length, top: 0, step: 0};
    });
  }

  /* The plot */
  const canvas = el('canvas', {
    tabindex: '0', role: 'img', 'aria-describedby': 'keys',
    'aria-label': 'Timeline of VMs on nodes. The table below says the same.'
  });
  const plot = el('div', {class: 'plot'}, canvas);
  const say = el('div', {class: 'gone', 'aria-live': 'polite'});
  const tip = el('div', {class: 'tip', hidden: ''});
  const AXIS = 26, GAP = 10;
  let left = 90, laneHeight = 14, width = 0;
  const x = t => left + (t - view.from) / (view.to - view.from) * (width - left - 8);
  const time = px => view.from + (px - left) / (width - left - 8) * (view.to - view.from);

  function ticks() {
    const steps = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800, 2592000, 7776000, 31536000];
    const step = 1000 * (steps.find(s => (view.to - view.from) / 1000 / s <= width / 130) || 31536000);
    const shift = new Date(view.from);
    const local = Date.parse(when(shift).replace(' ', 'T') + 'Z') - Math.floor(shift.getTime() / 1000) * 1000;
    const all = [];
    for (let t = Math.ceil((view.from + local) / step) * step - local; t <= view.to; t += step) {
      const text = when(t);
      all.push([t, step >= 86400000 ? text.slice(0, 10) : step >= 60000 ? text.slice(5, 16) : text.slice(11)]);
    }
    return all;
  }

  let waiting = false;
  function draw() {
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(() => { waiting = false; paint(); });
    }
  }
  function paint() {
    const style = getComputedStyle(document.documentElement);
    const ink = name => style.getPropertyValue(name).trim();
    const pen = canvas.getContext('2d');
    width = plot.clientWidth;
    const lanes = nodes.reduce((sum, node) => sum + node.lanes, 0);
    laneHeight = Math.max(4, Math.min(18, Math.floor(900 / Math.max(1, lanes))));
    const height = AXIS + nodes.reduce((sum, node) => sum + Math.max(14, node.lanes * laneHeight) + GAP, 0) + 4;
    const scale = Math.min(devicePixelRatio || 1, 16000 / Math.max(height, 1));
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = height + 'px';
    pen.scale(scale, scale);
    pen.font = '12px system-ui, "DejaVu Sans", sans-serif';
    pen.textBaseline = 'middle';
    left = Math.min(180, 16 + nodes.reduce((most, node) => Math.max(most, pen.measureText(printable(node.name)).width), 30));
    pen.strokeStyle = ink('--line');
    pen.fillStyle = ink('--soft');
    pen.textAlign = 'center';
    for (const [t, text] of ticks()) {
      const px = Math.round(x(t)) + 0.5;
      pen.beginPath();
      pen.moveTo(px, AXIS - 6);
      pen.lineTo(px, height);
      pen.stroke();
      if (px > left + 20 && px < width - 40) {
        pen.fillText(text, px, 10);
      }
    }
    let top = AXIS;
    for (const node of nodes) {
      const tall = Math.max(14, node.lanes * laneHeight);
      node.top = top;
      node.step = Math.max(laneHeight, Math.floor(14 / Math.max(1, node.lanes)));
      for (const v of node.list) {
        v.top = top + v.lane * node.step;
        v.tall = Math.max(2, node.step - (node.step > 6 ? 2 : 1));
      }
      pen.fillStyle = ink('--lane');
      pen.globalAlpha = 0.6;
      pen.fillRect(left, top - 2, width - left - 8, tall + 4);
      pen.globalAlpha = 1;
      pen.fillStyle = ink('--ink');
      pen.textAlign = 'right';
      pen.fillText(printable(node.name), left - 10, top + tall / 2, left - 14);
      top += tall + GAP;
    }
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, width - left - 8, height);
    pen.clip();
    for (const node of nodes) {
      for (const v of node.list) {
        if (v.to < view.from || v.from > view.to) {
          continue;
        }
        const a = Math.max(left - 2, x(v.from)), b = Math.min(width, x(v.to)), y = v.top, one = v.tall;
        const long = Math.max(1.2, b - a - (b - a > 4 ? 0.8 : 0));
        pen.fillStyle = fill(keyOf(v));
        pen.globalAlpha = focus && focus !== v ? 0.55 : 1;
        if (long > 5 && one > 5) {
          pen.beginPath();
          pen.roundRect(a, y, long, one, v.vm.ended ? 3 : [3, 0, 0, 3]);
          pen.fill();
        } else {
          pen.fillRect(a, y, long, one);
        }
        if (!v.vm.ended && long > 8) {
          pen.fillStyle = ink('--card');
          for (let i = 0; i < 3; i++) {
            pen.fillRect(a + long - 2 - i * 3, y, 1, one);
          }
        }
        if (v.vm.evidence) {
          pen.strokeStyle = ink('--card');
          pen.lineWidth = 1.5;
          for (let px = a + long - Math.min(long, 30); px < a + long; px += 6) {
            pen.beginPath();
            pen.moveTo(px, y + one);
            pen.lineTo(Math.min(px + one, a + long), y);
            pen.stroke();
          }
          pen.lineWidth = 1;
        }
        if (long > 60 && one >= 12) {
          pen.fillStyle = '#fff';
          pen.textAlign = 'left';
          pen.save();
          pen.beginPath();
          pen.rect(a, y, long - 4, one);
          pen.clip();
          pen.font = '11px system-ui, "DejaVu Sans", sans-serif';
          pen.fillText(printable(v.vm.job + ' · ' + v.vm.user), a + 5, y + one / 2 + 0.5);
          pen.restore();
        }
        if (focus === v) {
          pen.globalAlpha = 1;
          pen.strokeStyle = ink('--ink');
          pen.lineWidth = 2;
          pen.strokeRect(a - 1, y - 1, long + 2, one + 2);
          pen.lineWidth = 1;
        }
      }
    }
    pen.globalAlpha = 1;
    const placed = new Map();
    shown.forEach(v => {
      const key = attempt(v.vm);
      placed.has(key) ? placed.get(key).push(v) : placed.set(key, [v]);
    });
    const dense = shown.filter(v => v.to > view.from && v.from < view.to).length > 25 * (height - AXIS) / laneHeight;
    for (const m of dense ? [] : marks) {
      for (const v of placed.get(attempt(m)) || []) {
        const px = x(Math.max(v.from, Math.min(m.time, v.to))), y = v.top + v.tall / 2;
        const r = Math.max(3, Math.min(6, v.tall / 2 + 1));
        pen.beginPath();
        if (m.kind === 'RESTORED') {
          pen.moveTo(px - r, y - r); pen.lineTo(px + r, y); pen.lineTo(px - r, y + r);
        } else {
          pen.moveTo(px, y - r); pen.lineTo(px + r, y); pen.lineTo(px, y + r); pen.lineTo(px - r, y);
        }
        pen.closePath();
        pen.fillStyle = ink('--mark');
        pen.fill();
        pen.strokeStyle = ink('--card');
        pen.stroke();
      }
    }
    pen.restore();
  }

  function lasted(seconds) {
    const s = Math.round(seconds), d = Math.floor(s / 86400);
    return (d ? d + '-' : '') + new Date(s % 86400 * 1000).toISOString().slice(11, 19);
  }
  function told(v) {
    const vm = v.vm;
    return [
      `${vm.user} · job ${vm.job}` + (vm.attempt > 1 ? ` · attempt ${vm.attempt}` : ''),
      `${vm.name} (${vm.role}) on ${vm.node}, ` + (vm.cores.length ? `cores ${vm.cores.join(',')}` : `${vm.vcpus} vCPUs`),
      `${vm.image}`,
      `${when(v.from)} – ${vm.ended ? when(v.to) : 'still running'} (${lasted((v.to - v.from) / 1000)})`,
      ...moments(v),
      vm.ended ? vm.why + (vm.evidence ? `: concluded, because ${vm.evidence}` : '') : '',
      vm.cpuNanos === null ? '' : `CPU ${lasted(vm.cpuNanos / 1e9)}`,
      vm.queue ? `queue ${vm.queue}` : '', vm.account ? `account ${vm.account}` : ''
    ].filter(line => line).map(printable).join('\n');
  }
  function at(px, py) {
    const t = time(px), near = 3 * (view.to - view.from) / width;
    const node = nodes.find(n => py >= n.top - 2 && py < n.top + Math.max(14, n.lanes * laneHeight) + 2);
    if (!node || px < left) {
      return null;
    }
    const lane = Math.floor((py - node.top) / node.step);
    return node.list.find(v => v.lane === lane && v.from - near <= t && t <= v.to + near) || null;
  }
  function point(v, px, py) {
    if (focus !== v) {
      focus = v;
      draw();
    }
    tip.hidden = !v;
    if (v) {
      tip.textContent = told(v);
      tip.style.left = Math.max(4, Math.min(px + 14, innerWidth - tip.offsetWidth - 8)) + 'px';
      tip.style.top = Math.max(4, py + 18 + tip.offsetHeight > innerHeight ? py - tip.offsetHeight - 10 : py + 18) + 'px';
    }
  }
  let drag = null;
  canvas.addEventListener('pointermove', e => {
    if (drag) {
      const by = (drag.px - e.offsetX) / (width - left - 8) * (drag.to - drag.from);
      look(drag.from + by, drag.to + by);
    } else {
      point(at(e.offsetX, e.offsetY), e.clientX, e.clientY);
    }
  });
  canvas.addEventListener('pointerdown', e => {
    drag = {px: e.offsetX, ...view};
    canvas.setPointerCapture(e.pointerId);
  });
  canvas.addEventListener('pointerup', () => { drag = null; });
  canvas.addEventListener('pointerleave', () => point(null));
  canvas.addEventListener('wheel', e => {
    if (e.ctrlKey || e.shiftKey) {
      e.preventDefault();
      zoom(e.deltaY + e.deltaX > 0 ? 1.25 : 0.8, time(e.offsetX));
    }
  }, {passive: false});
  canvas.addEventListener('dblclick', e => zoom(0.4, time(e.offsetX)));
  function look(from, to) {
    const long = Math.max(1000, Math.min(to - from, end - begin));
    const first = Math.max(begin, Math.min(from, end - long));
    view = {from: first, to: first + long};
    draw();
  }
  function zoom(by, around) {
    look(around - (around - view.from) * by, around + (view.to - around) * by);
  }
  canvas.addEventListener('keydown', e => {
    const all = nodes.flatMap(node => node.list);
    const middle = (view.from + view.to) / 2, step = (view.to - view.from) / 8;
    if (e.key === '+' || e.key === '=') { zoom(0.6, middle); }
    else if (e.key === '-') { zoom(1.6, middle); }
    else if (e.key === '0') { look(begin, end); }
    else if (e.key === 'PageUp') { look(view.from - step, view.to - step); }
    else if (e.key === 'PageDown') { look(view.from + step, view.to + step); }
    else if (e.key === 'Escape') { point(null); }
    else if (['ArrowRight', 'ArrowLeft', 'ArrowDown', 'ArrowUp'].includes(e.key) && all.length) {
      let next = all.indexOf(focus);
      if (e.key === 'ArrowRight' || e.key === 'ArrowLeft') {
        next = next < 0 ? 0 : (next + (e.key === 'ArrowRight' ? 1 : all.length - 1)) % all.length;
      } else {
        const home = nodes.findIndex(node => node.list.includes(focus));
        const to = nodes[(Math.max(0, home) + (e.key === 'ArrowDown' ? 1 : nodes.length - 1)) % nodes.length];
        next = all.indexOf(to.list[0]);
      }
      const v = all[next], box = canvas.getBoundingClientRect();
      if (v.to < view.from || v.from > view.to) {
        look(v.from - (view.to - view.from) / 2, v.from + (view.to - view.from) / 2);
      }
      point(v, box.left + Math.max(left, x(v.from)), box.top + v.top);
      say.textContent = told(v);
    } else { return; }
    e.preventDefault();
  });
  canvas.addEventListener('blur', () => point(null));

  /* Tables */
  const sums = el('div', {class: 'sums'});
  const list = el('section', {class: 'card'});
  let most = 100;
  function fillTables() {
    const by = (title, key) => {
      const groups = new Map();
      shown.forEach(v => {
        const name = v.vm[key] || '–', g = groups.get(name) || {vms: 0, core: 0, cpu: 0};
        g.vms++; g.core += v.vm.coreSeconds; g.cpu += (v.vm.cpuNanos || 0) / 1e9;
        groups.set(name, g);
      });
      const sorted = [...groups].sort((a, b) => b[1].core - a[1].core);
      const largest = sorted.length ? sorted[0][1].core || 1 : 1;
      return el('section', {class: 'card'}, table('By ' + title, [title, 'VMs', 'core h', 'CPU h', ''],
        sorted.slice(0, 12).map(([name, g]) => [name, count(g.vms), fixed(g.core / 3600), fixed(g.cpu / 3600), bar(g.core / largest)]),
        i => i > 0 && i < 4), sorted.length > 12 ? el('p', {class: 'hint'}, `and ${sorted.length - 12} more`) : '');
    };
    sums.replaceChildren(by('user', 'user'), by('node', 'node'), by('image', 'image'));
    const rows = [...shown].sort((a, b) => b.from - a.from).slice(0, most).map(v => [
      v.vm.job, String(v.vm.attempt), v.vm.user, v.vm.queue || '–', v.vm.name, v.vm.node, v.vm.cores.join(',') || '–', v.vm.image,
      when(v.from), v.vm.ended ? when(v.to) + (v.vm.evidence ? ' ?' : '') : '–', lasted(v.vm.elapsedSeconds),
      fixed(v.vm.coreSeconds / 3600), [v.state, ...moments(v)].join(', ')]);
    const more = el('button', {type: 'button'}, 'Show more');
    more.addEventListener('click', () => { most += 500; fillTables(); });
    list.replaceChildren(table(`VMs, the newest first: ${count(rows.length)} of ${count(shown.length)}`,
      ['Job', 'Attempt', 'User', 'Queue', 'VM', 'Node', 'Cores', 'Image', 'Start', 'End', 'Elapsed', 'Core h', 'State'],
      rows, i => i === 1 || i === 10 || i === 11), rows.length < shown.length ? more : '');
  }

  function refresh() {
    const words = search.value.toLowerCase().split(/\s+/).filter(w => w);
    shown = words.length ? vms.filter(v => words.every(w => v.words.includes(w))) : vms;
    focus = null;
    most = 100;
    found.textContent = shown.length === vms.length ? '' : `${count(shown.length)} of ${count(vms.length)} VMs`;
    fillTiles(); pickColours(); fillLegend(); layOut(); fillTables(); paint();
  }
  search.addEventListener('input', refresh);
  choose.addEventListener('change', () => { colour = choose.value; pickColours(); fillLegend(); draw(); });
  whole.addEventListener('click', () => look(begin, end));
  dark.addEventListener('change', () => { fillLegend(); draw(); });
  addEventListener('resize', draw);

  page.append(tiles);
  if (data.more) {
    page.append(el('p', {class: 'hint', role: 'note'}, 'Older VMs were left out: ask for a shorter time, or a larger --limit.'));
  }
  page.append(tools, el('section', {class: 'card', 'aria-label': 'Timeline'},
    el('header', null, el('h2', null, 'Who was where, when'), el('span', {class: 'hint', id: 'keys'},
      'Point at a bar. Drag moves, double click or Ctrl and wheel zoom. Keys: arrows choose a VM, + − 0 zoom, Page Up and Down move.')),
    plot, legend), sums, list, tip, say);
  refresh();
})();
