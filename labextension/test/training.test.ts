import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Dataset, Finding } from '../src/core/contract';
import { request, type Choices } from '../src/core/training';

const column = (name: string, role: string): unknown => ({ name, role });
const dataset = {
  id: 'd',
  columns: [column('id', 'id'), column('a', 'numeric'), column('b', 'category'), column('late', 'boolean')]
} as unknown as Dataset;
const choices: Choices = {
  target: 'late',
  metric: ' ',
  seconds: 60,
  name: '',
  groups: '',
  time: '',
  trials: '',
  seed: '0',
  excluded: []
};
const acting = (action: Record<string, unknown>): Finding => ({ action }) as unknown as Finding;

test('what is left to the server is not in the request', () => {
  assert.deepEqual(request(dataset, choices, []), { target: 'late', time_budget: 60 });
});

test('no target is a search for groups', () => {
  assert.deepEqual(request(dataset, { ...choices, target: null }, []), { time_budget: 60 });
});

test('columns that are learnt from are those that every wish keeps', () => {
  const asked = request(dataset, { ...choices, excluded: ['b'] }, [acting({ columns: ['a', 'b'] })]);
  assert.deepEqual(asked.columns, ['a']);
});

test('a choice goes before a finding, and marks of missing values add up', () => {
  const asked = request(dataset, { ...choices, groups: 'a' }, [
    acting({ groups: 'b', missing_values: { a: [-999] } }),
    acting({ missing_values: { a: [-999, -1], b: ['?'] } })
  ]);
  assert.equal(asked.groups, 'a');
  assert.deepEqual(asked.missing_values, { a: [-999, -1], b: ['?'] });
});
