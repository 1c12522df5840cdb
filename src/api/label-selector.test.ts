import { describe, expect, it } from 'vitest';
import { isEmptySelector, matchesMap, matchesSelector, selectorKeys } from './label-selector.ts';
import type { LabelSelectorRequirement } from './objects.ts';

const term = (operator: LabelSelectorRequirement['operator'], values: string[] = []) => ({
  matchLabels: {},
  matchExpressions: [{ key: 'tier', operator, values }],
});
const empty = { matchLabels: {}, matchExpressions: [] };

describe('a label selector', () => {
  // apimachinery pkg/labels/selector.go, Requirement.Matches.
  it.each([
    ['In', ['web', 'api'], { tier: 'web' }, true],
    ['In', ['web', 'api'], { tier: 'db' }, false],
    ['In', ['web'], {}, false],
    ['NotIn', ['web'], { tier: 'db' }, true],
    ['NotIn', ['web'], { tier: 'web' }, false],
    ['NotIn', ['web'], {}, true],
    ['Exists', [], { tier: '' }, true],
    ['Exists', [], {}, false],
    ['DoesNotExist', [], {}, true],
    ['DoesNotExist', [], { tier: '' }, false],
  ] as const)('%s %j on %j: %j', (operator, values, labels, expected) => {
    expect(matchesSelector(term(operator, [...values]), labels)).toBe(expected);
  });

  it('wants every label and every term', () => {
    const selector = {
      matchLabels: { app: 'shop', zone: 'a' },
      matchExpressions: [{ key: 'tier', operator: 'Exists' as const, values: [] }],
    };
    expect(matchesSelector(selector, { app: 'shop', zone: 'a', tier: 'web' })).toBe(true);
    expect(matchesSelector(selector, { app: 'shop', zone: 'b', tier: 'web' })).toBe(false);
    expect(matchesSelector(selector, { app: 'shop', zone: 'a' })).toBe(false);
  });

  it('that is empty matches everything, and says that it is empty', () => {
    expect(matchesSelector(empty, { any: 'thing' })).toBe(true);
    expect(isEmptySelector(empty)).toBe(true);
    expect(isEmptySelector(term('Exists'))).toBe(false);
    expect(isEmptySelector({ matchLabels: { a: 'b' }, matchExpressions: [] })).toBe(false);
  });

  it('names the keys that it looks at', () => {
    expect(selectorKeys({ ...term('Exists'), matchLabels: { app: 'shop' } })).toEqual(['app', 'tier']);
  });
});

describe('the map of a Service', () => {
  it('wants every label in it', () => {
    expect(matchesMap({ app: 'web', tier: 'a' }, { app: 'web', tier: 'a', x: 'y' })).toBe(true);
    expect(matchesMap({ app: 'web', tier: 'a' }, { app: 'web' })).toBe(false);
  });
});
