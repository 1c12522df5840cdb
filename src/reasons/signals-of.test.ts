import { describe, expect, it } from 'vitest';
import { aNode } from '../../test/builders.ts';
import { annotations } from '../api/names.ts';
import { signalsOf } from './signals-of.ts';

const read = (value: unknown) =>
  signalsOf(aNode({ annotations: { [annotations.signals]: typeof value === 'string' ? value : JSON.stringify(value) } }));

const spot = {
  kind: 'SpotInterruption',
  source: 'aws',
  id: 'i-1',
  since: '2026-01-01T12:00:00Z',
  goneAt: '2026-01-01T12:02:00Z',
  revocable: false,
  message: 'terminate',
};

describe('the signals of a node', () => {
  it('come with their times in milliseconds', () => {
    expect(read([spot])).toEqual([{ ...spot, since: Date.UTC(2026, 0, 1, 12), goneAt: Date.UTC(2026, 0, 1, 12, 2) }]);
  });

  it('keep a kind that only a newer agent knows', () => {
    expect(read([{ ...spot, kind: 'Meteor' }])).toMatchObject([{ kind: 'Meteor' }]);
  });

  it('leave out an entry that cannot be read, and a time that nobody has set', () => {
    expect(read([null, { kind: 'Reboot' }, spot])).toHaveLength(1);
    expect(read([{ ...spot, goneAt: '0001-01-01T00:00:00Z' }])[0]).not.toHaveProperty('goneAt');
  });

  it.each(['', '{', '{"kind":"Reboot"}', 'null'])('are none where the annotation is %j', (text) => {
    expect(read(text)).toEqual([]);
  });

  it('are none on a node without the annotation', () => {
    expect(signalsOf(aNode())).toEqual([]);
  });
});
