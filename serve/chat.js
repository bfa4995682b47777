'use strict';
(() => {
const byID = (id) => document.getElementById(id);
const facts = JSON.parse(document.body.dataset.facts);
const log = byID('log'), form = byID('ask'), question = byID('question');

const words = {
  en: {
    hello: 'Hello! Ask me something, for example:', label: 'Your question', send: 'Ask', hint: 'Type a question',
    unsure: 'I am not sure that I understand you. Did you mean one of these?', none: 'I have no answer to that.',
    sources: (n) => (n === 1 ? '1 source' : n + ' sources'), row: (n, score) => `entry ${n}, score ${score}`, sure: (p) => `confidence ${p} %`,
    failed: 'That did not work: ', away: 'the server does not answer. Is it still running?', log: 'Conversation',
    foot: 'Answers are texts of a file, chosen by a model that was trained by hone.', form: 'The model by itself',
  },
  zh: {
    hello: '您好！请提问，例如：', label: '您的问题', send: '提问', hint: '输入问题',
    unsure: '我不确定是否理解了您的问题。您想问的是下面哪一个？', none: '这个问题我没有答案。',
    sources: (n) => `${n} 个来源`, row: (n, score) => `第 ${n} 条，得分 ${score}`, sure: (p) => `置信度 ${p} %`,
    failed: '出错了：', away: '服务器没有响应，还在运行吗？', log: '对话',
    foot: '答案取自文件，由 hone 训练的模型选出。', form: '直接试用模型',
  },
};
const han = /\p{Script=Han}/u;
let language = navigator.language.startsWith('zh') ? 'zh' : 'en', say = words[language];

const element = (tag, name, text) => {
  const e = document.createElement(tag);
  if (name) e.className = name;
  if (text !== undefined) e.textContent = text;
  return e;
};
function add(e) {
  log.append(e);
  e.scrollIntoView({ block: 'nearest' });
}

// options are questions to choose from; choosing one calls then with its place.
function options(texts, then) {
  const list = element('ul', 'options');
  texts.forEach((text, i) => {
    const b = element('button', '', text), item = element('li');
    b.type = 'button';
    b.addEventListener('click', () => then(i));
    item.append(b);
    list.append(item);
  });
  return list;
}

function sources(all) {
  const d = element('details'), list = element('ol');
  d.append(element('summary', '', say.sources(all.length)), list);
  for (const s of all) {
    const item = element('li', '', s.question + ' ');
    item.append(element('span', 'score', '(' + say.row(s.row, s.score.toFixed(2)) + ')'));
    list.append(item);
  }
  return d;
}

function tell(answer, all, confidence) {
  const box = element('div', 'said told');
  const title = confidence === undefined ? answer.question : `${answer.question} · ${say.sure(Math.min(99, Math.floor(100 * confidence)))}`;
  box.append(element('p', 'title', title), element('p', 'text', answer.answer), sources(all));
  add(box);
}

function draw(reply) {
  if (reply.sure) {
    tell(reply.answer, reply.sources, reply.confidence);
    return;
  }
  const box = element('div', 'said told unsure');
  if (!reply.sources.length) {
    box.append(element('p', '', say.none));
  } else {
    box.append(element('p', '', say.unsure), options(reply.sources.map((s) => s.question), (i) => {
      add(element('p', 'said asked', reply.sources[i].question));
      tell(reply.sources[i], [reply.sources[i]]);
    }), sources(reply.sources));
  }
  add(box);
}

async function ask(text) {
  add(element('p', 'said asked', text));
  log.setAttribute('aria-busy', 'true');
  try {
    let reply;
    try {
      const r = await fetch(location.origin + '/v1/answer', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ question: text }) });
      reply = await r.json();
    } catch {
      reply = { error: { message: say.away } };
    }
    if (reply.error) add(element('p', 'said told failed', say.failed + reply.error.message));
    else draw(reply);
  } finally {
    log.removeAttribute('aria-busy');
  }
}

// greet suggests questions in the reader's language, from all over the file.
function greet() {
  let some = facts.questions.filter((q) => han.test(q) === (language === 'zh'));
  if (!some.length) some = facts.questions;
  const few = [0, 1, 2].map((i) => some[Math.floor(i * some.length / 3)]).filter((q, i, all) => all.indexOf(q) === i);
  const box = element('div', 'said told');
  box.append(element('p', '', say.hello), options(few, (i) => ask(few[i])));
  log.replaceChildren(box);
}

function speak(to) {
  language = to;
  say = words[to];
  document.documentElement.lang = to;
  for (const e of document.querySelectorAll('[data-text]')) e.textContent = say[e.dataset.text];
  log.setAttribute('aria-label', say.log);
  question.setAttribute('placeholder', say.hint);
  const other = byID('language');
  other.textContent = to === 'en' ? '中文' : 'English';
  other.lang = to === 'en' ? 'zh' : 'en';
  if (log.children.length < 2) greet();
}

form.addEventListener('submit', (e) => {
  e.preventDefault();
  const text = question.value.trim();
  question.value = '';
  question.focus();
  if (text) ask(text);
});
byID('language').addEventListener('click', () => speak(language === 'en' ? 'zh' : 'en'));
speak(language);
})();
