import { describe, expect, it } from 'vitest';
import { type EvaluateRule, rulesErrors } from './rules.ts';
import type { Schema } from './schema.ts';

/** Refuses everything and remembers what it was asked. */
function refusing(asked: unknown[][] = []): EvaluateRule {
  return (...question) => {
    asked.push(question);
    return false;
  };
}

const ruled = (schema: Schema, message = 'no'): Schema => ({
  ...schema,
  'x-kubernetes-validations': [{ rule: 'false', message }],
});

describe('validation rules', () => {
  it('are asked of every value that they stand at, and point at it', () => {
    const leaf = ruled({ type: 'string' });
    const schema: Schema = {
      type: 'object',
      properties: {
        list: { type: 'array', items: leaf },
        map: { type: 'object', additionalProperties: leaf },
        none: leaf,
        nothing: leaf,
      },
    };
    expect(rulesErrors({ list: ['a', 'b'], map: { k: 'v' }, nothing: null }, schema, refusing(), undefined)).toEqual([
      { reason: 'FieldValueInvalid', field: 'list[0]', message: 'Invalid value: "string": no' },
      { reason: 'FieldValueInvalid', field: 'list[1]', message: 'Invalid value: "string": no' },
      { reason: 'FieldValueInvalid', field: 'map[k]', message: 'Invalid value: "string": no' },
    ]);
  });

  it('point at the field that they name, with their reason', () => {
    const schema: Schema = {
      type: 'object',
      'x-kubernetes-validations': [{ rule: 'false', message: 'needed', fieldPath: '.spec.a', reason: 'FieldValueRequired' }],
    };
    expect(rulesErrors({}, schema, refusing(), undefined)).toEqual([
      { reason: 'FieldValueRequired', field: 'spec.a', message: 'Required value: needed' },
    ]);
  });

  it('tell themselves where they have no message', () => {
    const schema: Schema = { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.a > 1' }] };
    expect(rulesErrors({}, schema, refusing(), undefined)[0]?.message).toBe('Invalid value: "object": failed rule: self.a > 1');
  });

  it('refuse with the complaint when they cannot be asked', () => {
    const evaluate: EvaluateRule = () => {
      throw new Error('no such key: a\n  at 1');
    };
    expect(rulesErrors({}, ruled({ type: 'object' }), evaluate, undefined)[0]?.message).toBe(
      'Invalid value: "object": no such key: a evaluating rule: no',
    );
  });

  it('about a change are asked only where there was something', () => {
    const transition: Schema = {
      type: 'object',
      properties: { a: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'stays' }] } },
    };
    const asked: unknown[][] = [];
    rulesErrors({ a: 'x' }, transition, refusing(asked), { value: {} });
    expect(asked).toEqual([]);
    rulesErrors({ a: 'x' }, transition, refusing(asked), { value: { a: 'y' } });
    expect(asked).toEqual([['self == oldSelf', 'x', 'y']]);
  });

  it('are not held against an update that leaves the value as it was', () => {
    const schema: Schema = { type: 'object', properties: { a: ruled({ type: 'string' }), b: ruled({ type: 'string' }) } };
    const errors = rulesErrors({ a: 'x', b: 'y' }, schema, refusing(), { value: { a: 'x', b: 'z' } });
    expect(errors.map(({ field }) => field)).toEqual(['b']);
  });

  it('get whole numbers as bigint and times as Date', () => {
    const asked: unknown[][] = [];
    const schema = ruled({
      type: 'object',
      properties: { n: { type: 'integer' }, f: { type: 'number' }, at: { type: 'string', format: 'date-time' } },
    });
    rulesErrors({ n: 1, f: 1, at: '2026-01-01T00:00:00Z', unseen: 1 }, schema, refusing(asked), undefined);
    expect(asked[0]?.[1]).toEqual({ n: 1n, f: 1, at: new Date('2026-01-01T00:00:00Z') });
  });
});
