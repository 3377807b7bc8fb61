import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as snippets from '../src/core/snippets';

test('a word that a shell would take apart is quoted', () => {
  const { magic, curl } = snippets.upload("l'été.csv");
  assert.equal(magic, `dataset = %automl upload 'l'"'"'été.csv'`);
  assert.ok(curl.includes(`-F 'file=@l'"'"'été.csv'`));
});

test('braces are doubled for IPython', () => {
  const dataset = { id: 'd', columns: [] } as never;
  assert.ok(snippets.train(dataset, { target: 'a{b}' }).magic.includes("'a{{b}}'"));
});

test('a row with a line break, a quote and nothing is Python and CSV', () => {
  const { magic, Python } = snippets.predictRow('m', 1, 'd', { a: 'x\n"y"', b: null, c: true, d: "it's" });
  assert.ok(Python.includes(`{'a': 'x\\n"y"', 'b': None, 'c': True, 'd': "it's"}`));
  assert.equal(magic, '%%automl predict m:1\na,b,c,d\n"x\n""y""",,True,it\'s');
});
