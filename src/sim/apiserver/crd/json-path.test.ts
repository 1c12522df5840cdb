import { describe, expect, it } from 'vitest';
import { columnPrinter } from './columns.ts';
import { jsonPath } from './json-path.ts';

const object = {
  metadata: { labels: { 'example.com/pool': 'a', app: 'web' }, creationTimestamp: '2026-01-01T00:00:00Z', name: 'one' },
  spec: { hosts: ['x', 'y'], replicas: 3, paused: false, selector: { app: 'web' } },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Idle', status: 'False', count: 2 },
    ],
  },
};

describe('a JSONPath', () => {
  it.each<[string, unknown[]]>([
    ['.spec.replicas', [3]],
    ['.spec.hosts[1]', ['y']],
    ['.spec.hosts[-1]', ['y']],
    ['.spec.hosts[*]', ['x', 'y']],
    ['.spec.hosts', [['x', 'y']]],
    ['.metadata.labels.example\\.com/pool', ['a']],
    [".metadata.labels['example\\.com/pool']", ['a']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".status.conditions[?(@.type!='Ready')].type", ['Idle']],
    ['.status.conditions[?(@.count==2)].type', ['Idle']],
    ['.spec.absent.deeper', []],
    ['.spec.constructor', []],
  ])('%s', (path, found) => {
    expect(jsonPath(path)?.(object)).toEqual(found);
  });

  it.each(['spec', '', '.spec[', '.spec[?(@.a)]', '{.spec}'])('is not %j', (path) => {
    expect(jsonPath(path)).toBeUndefined();
  });
});

describe('printer columns', () => {
  const now = Date.parse('2026-01-01T01:00:00Z');
  const cell = (type: string, path: string) =>
    columnPrinter([{ name: 'X', type, jsonPath: path }]).cells(object as never, now)[1];

  it.each<[string, string, unknown]>([
    ['integer', '.spec.replicas', 3],
    ['string', '.spec.replicas', '3'],
    ['boolean', '.spec.paused', false],
    ['string', '.spec.selector', '{"app":"web"}'],
    ['date', '.metadata.creationTimestamp', '60m'],
    ['date', '.metadata.name', '<invalid>'],
    ['integer', '.metadata.name', null],
    ['string', '.spec.absent', null],
  ])('of type %s show %s as %j', (type, path, shown) => {
    expect(cell(type, path)).toEqual(shown);
  });

  it('are the age where the definition names none', () => {
    expect(columnPrinter(undefined).columns.map(({ name }) => name)).toEqual(['Name', 'Age']);
  });
});
