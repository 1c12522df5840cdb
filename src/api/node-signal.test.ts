import { describe, expect, it } from 'vitest';
import { aNode } from '../../test/builders.ts';
import { annotations } from './names.ts';
import { readSignals } from './node-signal.ts';

const read = (value: unknown) =>
  readSignals(aNode({ annotations: { [annotations.signals]: typeof value === 'string' ? value : JSON.stringify(value) } }));

const spot = { kind: 'SpotInterruption', source: 'aws', id: 'i-1', goneAt: '2026-01-01T12:02:00Z', revocable: false };

describe('the signals of a node', () => {
  it('are read with their times in milliseconds', () => {
    expect(read([{ ...spot, since: '2026-01-01T12:00:00Z', message: 'terminate', started: true }])).toEqual([
      {
        kind: 'SpotInterruption',
        source: 'aws',
        id: 'i-1',
        since: Date.UTC(2026, 0, 1, 12),
        goneAt: Date.UTC(2026, 0, 1, 12, 2),
        revocable: false,
        message: 'terminate',
        started: true,
      },
    ]);
  });

  it('keep a kind that only a newer agent knows', () => {
    expect(read([{ ...spot, kind: 'Meteor' }])).toMatchObject([{ kind: 'Meteor' }]);
  });

  it('count as revocable where that is not said, so that no node stays out for a slip', () => {
    expect(read([{ kind: 'Reboot', source: 'azure' }])).toMatchObject([{ revocable: true, id: '', message: '' }]);
  });

  it('leave out what cannot be read, entry by entry and time by time', () => {
    expect(read([null, 7, { kind: 'Reboot' }, spot])).toHaveLength(1);
    for (const goneAt of ['soon', 5, '0001-01-01T00:00:00Z']) expect(read([{ ...spot, goneAt }])[0]).not.toHaveProperty('goneAt');
  });

  it.each(['', '{', '{"kind":"Reboot"}', 'null'])('are none where the annotation is %j', (text) => {
    expect(read(text)).toEqual([]);
  });

  it('are at most sixteen', () => {
    expect(read(Array.from({ length: 40 }, () => spot))).toHaveLength(16);
  });
});
