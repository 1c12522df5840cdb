import { describe, expect, it } from 'vitest';
import { type NodeSignal, readSignals, writeSignals } from './node-signal.ts';

const signal = (more: Partial<NodeSignal> = {}): NodeSignal => ({
  kind: 'Reboot',
  source: 'azure',
  id: 'a',
  since: '2026-01-01T12:00:00Z',
  revocable: true,
  message: 'host maintenance',
  ...more,
});

describe('the signals of a node', () => {
  it('are read as they were written', () => {
    const written = [
      signal({ goneAt: '2026-01-01T12:15:00Z', notBefore: '2026-01-01T12:14:00Z', started: true }),
      signal({ id: 'b', kind: 'SomethingNewer', source: 'another', revocable: false }),
    ];
    expect(readSignals(writeSignals(written) ?? undefined)).toEqual({ signals: written, error: null });
  });

  it('have no annotation when there are none', () => {
    expect(writeSignals([])).toBeNull();
    expect(readSignals(undefined)).toEqual({ signals: [], error: null });
  });

  it.each([
    ['[', 'is not JSON'],
    ['{}', 'must be a list'],
    ['[1]', '[0].must be a map'],
    ['[{}]', '[0].kind must be a text'],
    [JSON.stringify([signal({ goneAt: 'soon' })]), '[0].goneAt must be a time'],
    [JSON.stringify([{ ...signal(), revocable: 'no' }]), '[0].revocable must be true or false'],
    [JSON.stringify([{ ...signal(), started: 1 }]), '[0].started must be true or false'],
  ])('of which %s is not one gives none, and says what is wrong', (text, error) => {
    expect(readSignals(text)).toEqual({ signals: [], error });
  });

  it('keep those that are well beside one that is not', () => {
    expect(readSignals(JSON.stringify([signal(), { ...signal(), since: 'x' }]))).toEqual({
      signals: [signal()],
      error: '[1].since must be a time',
    });
  });

  it('are at most 16, those that end the machine soonest', () => {
    const many = Array.from({ length: 20 }, (_, index) =>
      signal({ id: `e${index}`, ...(index >= 10 && { goneAt: `2026-01-01T12:${60 - index}:00Z` }) }),
    );
    const kept = readSignals(writeSignals(many) ?? '');
    expect(kept.error).toBeNull();
    expect(kept.signals.map(({ id }) => id)).toEqual([
      'e19',
      'e18',
      'e17',
      'e16',
      'e15',
      'e14',
      'e13',
      'e12',
      'e11',
      'e10',
      'e0',
      'e1',
      'e2',
      'e3',
      'e4',
      'e5',
    ]);
    expect(readSignals(JSON.stringify(many))).toMatchObject({ error: 'has 20 entries, at most 16 are read' });
  });

  it('are the same text in whatever order they came, with messages cut', () => {
    const [a, b] = [signal(), signal({ id: 'b', message: 'x'.repeat(300) })];
    expect(writeSignals([a, b])).toBe(writeSignals([b, a]));
    expect(readSignals(writeSignals([b]) ?? '').signals[0]?.message).toBe(`${'x'.repeat(253)}...`);
  });
});
