import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { matchesSelector } from '../api/label-selector.ts';
import type { LabelSelectorRequirement } from '../api/objects.ts';
import { negated, parseSelectorText } from './selector-text.ts';

const term = (key: string, operator: LabelSelectorRequirement['operator'], ...values: string[]) => ({ key, operator, values });

describe('parseSelectorText', () => {
  it.each([
    ['app=web', [term('app', 'In', 'web')]],
    ['app==web', [term('app', 'In', 'web')]],
    ['app = web', [term('app', 'In', 'web')]],
    ['app=', [term('app', 'In', '')]],
    ['app!=web', [term('app', 'NotIn', 'web')]],
    ['app', [term('app', 'Exists')]],
    ['!app', [term('app', 'DoesNotExist')]],
    ['app in (web, api)', [term('app', 'In', 'web', 'api')]],
    ['app notin (web)', [term('app', 'NotIn', 'web')]],
    ['app=web,tier in (a,b),!old', [term('app', 'In', 'web'), term('tier', 'In', 'a', 'b'), term('old', 'DoesNotExist')]],
    ['example.com/a_b.c-d=1', [term('example.com/a_b.c-d', 'In', '1')]],
    ['index=1', [term('index', 'In', '1')]],
    ['', []],
  ])('reads %j', (text, expected) => {
    expect(parseSelectorText(text)).toEqual(expected);
  });

  it.each(['=web', 'app=we b', 'app in web', 'app in ()x', '!app=web', 'a,,b', 'a>1'])('refuses %j', (text) => {
    expect(() => parseSelectorText(text)).toThrow(/label selector|both "!" and a value/);
  });
});

describe('negated', () => {
  it('holds exactly where the requirement does not', () => {
    const requirement = fc.oneof(
      fc.record({
        key: fc.constant('k'),
        operator: fc.constantFrom('In', 'NotIn'),
        values: fc.array(fc.constantFrom('a', 'b'), { minLength: 1 }),
      }),
      fc.record({ key: fc.constant('k'), operator: fc.constantFrom('Exists', 'DoesNotExist'), values: fc.constant([]) }),
    );
    const labels = fc.oneof(fc.constant({}), fc.record({ k: fc.constantFrom('a', 'b', 'c') }));
    fc.assert(
      fc.property(requirement, labels, (one, worn) => {
        const holds = (each: LabelSelectorRequirement) =>
          matchesSelector({ matchLabels: {}, matchExpressions: [each] }, { ...worn });
        expect(holds(negated(one))).toBe(!holds(one));
      }),
    );
  });
});
