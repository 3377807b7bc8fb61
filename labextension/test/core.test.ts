import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Problem } from '../src/core/api';
import { Cache } from '../src/core/cache';
import { happenings } from '../src/core/events';
import { Format, clock, day, secondsOf } from '../src/core/format';
import { parsed, written, type Route } from '../src/core/route';
import { cellOf, typedOf } from '../src/core/rows';
import { Words, languageOf, loadWords } from '../src/core/words';

const ROUTES: Route[] = [
  { screen: 'home' },
  { screen: 'about' },
  { screen: 'data', id: 'a/b' },
  { screen: 'model', name: 'x.y-z', version: 3 },
  { screen: 'predict', name: 'été' }
];

for (const route of ROUTES) {
  test(`a screen comes back from its address: ${written(route)}`, () => {
    assert.deepEqual(parsed(`#/${written(route)}`), route);
  });
}

for (const text of ['', 'data', 'data/', 'nonsense/1', 'data/%E0%A4%A', 'model//3']) {
  test(`an address of nothing leads home: ${text}`, () => {
    assert.deepEqual(parsed(text), { screen: 'home' });
  });
}

test('times are read as people write them', () => {
  assert.deepEqual(['60', ' 5m', '1,5 h', '10 min', '', '5x', '-1'].map(secondsOf), [
    60,
    300,
    5400,
    600,
    null,
    null,
    null
  ]);
  assert.deepEqual([0, 59.9, 61, 3661].map(clock), ['0:00', '0:59', '1:01', '1:01:01']);
});

test('numbers are written as the reader does', () => {
  assert.equal(new Format('fr').fixed(-1.5, 2), '−1,50');
  assert.equal(new Format('en').interval([0.5, 0.75], 2), '0.50 … 0.75');
  assert.equal(new Format('en').interval([null, 1]), '');
  assert.equal(new Format('en').range('boolean', 0, 1), '');
  assert.equal(new Format('en').range('numeric', 0, 1), '0 … 1');
  assert.equal(new Format('fr').span([-0.5, 0.25], 2), '−0,50 … +0,25');
  assert.deepEqual(
    [0, 0.1, null].map(value => new Format('en').signed(value, 1)),
    ['0.0', '+0.1', '–']
  );
  assert.equal(new Format('en').seconds(0.25), '250\u00a0ms');
});

test('what stands in a field becomes a cell', () => {
  assert.equal(cellOf('numeric', ' 1,5 ', 'fr'), 1.5);
  assert.equal(cellOf('numeric', '1,5', 'en'), '1,5');
  assert.equal(cellOf('category', ' a ', 'en'), ' a ');
  assert.equal(cellOf('numeric', '', 'en'), null);
  // As classes are called, in probabilities and in the shell.
  assert.equal(cellOf('boolean', typedOf(false, 'en'), 'en'), 'False');
  for (const locale of ['en', 'fr']) assert.equal(cellOf('numeric', typedOf(-82.04, locale), locale), -82.04);
  assert.deepEqual(
    [typedOf('82.04', 'fr'), typedOf(82.04, 'en'), typedOf('a.b', 'fr')],
    ['82,04', '82.04', 'a.b']
  );
});

test('a moment at midnight is a day', () => {
  assert.deepEqual(['2013-06-17T00:00:00', '2013-06-17T08:30:00', 'T00:00:00'].map(day), [
    '2013-06-17',
    '2013-06-17T08:30:00',
    'T00:00:00'
  ]);
});

test('plurals and values fit the language', async () => {
  const [english, french] = await Promise.all([loadWords('en'), loadWords('fr')]);
  assert.equal(english.text('notebook.data.columns', { n: 1 }), '1 column');
  assert.equal(english.text('notebook.data.columns', { n: 0 }), '0 columns');
  assert.equal(french.text('notebook.data.columns', { n: 0 }), '0 colonne');
  assert.equal(new Words('en', { x: '{a} {b}' } as never).text('x' as never, { a: '{b}' }), '{b} {b}');
  assert.deepEqual(['fr_FR', 'FR', 'de', 'en-GB'].map(languageOf), ['fr', 'fr', 'en', 'en']);
});

function streamOf(...pieces: string[]): ReadableStream<Uint8Array> {
  const bytes = pieces.map(piece => new TextEncoder().encode(piece));
  return new ReadableStream({
    start(controller) {
      for (const piece of bytes) controller.enqueue(piece);
      controller.close();
    }
  });
}

test('events come whole out of a stream that is cut anywhere', async () => {
  const stream = streamOf(
    'id: 1\nevent: tr',
    'ial\ndata: {}\n\n: still here\n\nid: 2\nev',
    'ent: done\ndata: {}\n\nid: 3'
  );
  const found = [];
  for await (const event of happenings(stream)) found.push(event);
  assert.deepEqual(found, [
    { id: 1, kind: 'trial' },
    { id: 2, kind: 'done' }
  ]);
});

test('the answer to an older question is dropped', async () => {
  const cache = new Cache();
  let answer: (value: string) => void = () => undefined;
  const old = cache.load('k', () => new Promise<string>(resolve => (answer = resolve)));
  await cache.load('k', () => Promise.resolve('new'));
  answer('old');
  await old;
  assert.equal(cache.read('k').value, 'new');
});

test('a problem keeps the value that was known, and is asked about again only when somebody wants it', async () => {
  const cache = new Cache();
  cache.put('k', 1);
  await cache.load('k', () => Promise.reject(new Problem('offline', 0, '')));
  assert.deepEqual(
    [cache.read('k').value, cache.read('k').problem?.trouble, cache.read('k').busy],
    [1, 'offline', false]
  );
  let asked = 0;
  cache.need('k', () => Promise.resolve(++asked));
  assert.equal(asked, 0);
});

test('what is forgotten is asked for again', () => {
  const cache = new Cache();
  let told = 0;
  cache.subscribe(() => (told += 1));
  cache.put('model/a', 1);
  cache.put('models/0', 1);
  cache.forget('model/');
  assert.equal(cache.read('model/a').value, undefined);
  assert.equal(cache.read('models/0').value, 1);
  assert.equal(told, 3);
});
