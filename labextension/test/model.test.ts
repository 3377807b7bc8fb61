import assert from 'node:assert/strict';
import { test } from 'node:test';

import { rivals } from '../src/core/compare';
import type { Model, RowExplanation, RowExplanations } from '../src/core/contract';
import { explained, likes } from '../src/core/explained';
import { runIn, versionIn } from '../src/core/mlflow';

const model = (champion: number | null, ...versions: number[]): Model =>
  ({ champion, versions: versions.map(version => ({ version })) }) as unknown as Model;
const numbers = (of: Model, version: number): number[] => rivals(of, version).map(other => other.version);

test('a version is compared with the one in service first, then with the one before', () => {
  assert.deepEqual(numbers(model(1, 4, 3, 2, 1), 3), [1, 2, 4]);
  assert.deepEqual(numbers(model(3, 4, 3, 2, 1), 3), [2, 1, 4]);
  assert.deepEqual(numbers(model(null, 2, 1), 1), [2]);
  assert.deepEqual(numbers(model(1, 1), 1), []);
});

test('places in MLflow are made of what it calls things', () => {
  const version = { mlflow_name: 'a=40b.late', mlflow_version: '3' };
  assert.equal(runIn('http://h/mlflow/', 'abc'), 'http://h/mlflow/#/runs/abc');
  assert.equal(versionIn('https://h/', version), 'https://h/#/models/a%3D40b.late/versions/3');
});

test('there is no way to MLflow where it is not configured, or was not told yet', () => {
  const away = { mlflow_name: null, mlflow_version: null };
  assert.deepEqual(
    [runIn(null, 'abc'), runIn('http://h/', null), versionIn('http://h/', away)],
    [null, null, null]
  );
});

const row = (value: unknown, contributions: unknown[], counterexamples: unknown[] = []): RowExplanation =>
  ({ value, contributions, counterexamples }) as unknown as RowExplanation;
const answer = (scale: string, outputs: unknown[]): RowExplanations =>
  ({ scale, outputs }) as unknown as RowExplanations;
const adds = (column: string, values: number[], errors: number[]): unknown => ({
  column,
  cell: column,
  adds: values,
  errors
});

test('what speaks against the second of two classes speaks for the first', () => {
  const of = [adds('a', [-2], [0]), adds('b', [1], [0])];
  const told = answer('log_odds', ['yes']);
  assert.deepEqual(
    explained(told, row('no', of), 9).shares.map(share => share.adds),
    [2, -1]
  );
  assert.deepEqual(
    explained(told, row('yes', of), 9).shares.map(share => share.adds),
    [-2, 1]
  );
});

test('of several classes, columns are ordered by what they add to the one that is answered', () => {
  const of = [adds('a', [5, 1], [0, 0]), adds('b', [0, -3], [0, 0.1])];
  const found = explained(answer('centred_log_probability', ['x', 'y']), row('y', of), 9);
  assert.deepEqual(
    found.shares.map(share => [share.column, share.adds]),
    [
      ['b', -3],
      ['a', 1]
    ]
  );
  assert.equal(found.exact, false);
  assert.ok(Math.abs((found.shares[0]?.within ?? 0) - 0.1645) < 1e-9);
});

test('exact figures say which column counts most, uncertain ones only where they are far apart', () => {
  const told = answer('target', [null]);
  const three = (error: number): RowExplanation =>
    row(1, [adds('a', [1], [error]), adds('b', [-0.9], [error]), adds('c', [0.1], [error])]);
  assert.deepEqual(explained(told, three(0), 2), {
    shares: [
      { column: 'a', cell: 'a', adds: 1, within: 0 },
      { column: 'b', cell: 'b', adds: -0.9, within: 0 }
    ],
    exact: true,
    unsure: null
  });
  assert.deepEqual(explained(told, three(0.1), 2).unsure, ['a', 'b']);
  assert.equal(explained(told, three(0.01), 2).unsure, null);
  assert.equal(explained(told, row(1, []), 2).unsure, null);
});

test('of rows that were predicted otherwise, the columns that differ most come first', () => {
  const own = [adds('a', [1], [0]), adds('b', [1], [0]), adds('c', [1], [0])];
  const examples = [
    { row: 7, differences: ['b'], cells: { a: 'a', b: 2, c: 'c' } },
    { row: 9, differences: ['c', 'b'], cells: { a: 'a', b: 3, c: null } }
  ];
  const found = likes(row('no', own, examples), 1);
  assert.deepEqual(found, {
    lines: [
      {
        column: 'b',
        own: 'b',
        others: [
          { cell: 2, differs: true },
          { cell: 3, differs: true }
        ]
      }
    ],
    more: 1
  });
  assert.deepEqual(likes(row('no', own, examples), 5).lines[1]?.others, [
    { cell: 'c', differs: false },
    { cell: null, differs: true }
  ]);
});
