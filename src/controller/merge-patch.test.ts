import { describe, expect, it } from 'vitest';
import { mergePatch } from './merge-patch.ts';

describe('the merge patch between two versions', () => {
  it('names what is new or different, and nothing else', () => {
    expect(mergePatch({ a: 1, b: 2 }, { a: 1, b: 3, c: 4 })).toEqual({ b: 3, c: 4 });
  });

  it('names what is no longer there as null, also inside', () => {
    expect(mergePatch({ a: 1, wait: { pod: 'x', cause: 'y' } }, { wait: { cause: 'z' } })).toEqual({
      a: null,
      wait: { pod: null, cause: 'z' },
    });
  });

  it('leaves out what is equal inside', () => {
    expect(mergePatch({ a: { b: 1 }, c: 1 }, { a: { b: 1 }, c: 2 })).toEqual({ c: 2 });
  });

  it('replaces lists whole, and leaves equal ones out', () => {
    expect(mergePatch({ pods: [{ name: 'a' }], journal: [1] }, { pods: [{ name: 'b' }], journal: [1] })).toEqual({
      pods: [{ name: 'b' }],
    });
  });

  it('is the whole object where there was none', () => {
    expect(mergePatch(undefined, { a: { b: 1 } })).toEqual({ a: { b: 1 } });
  });
});
