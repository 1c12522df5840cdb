import { describe, expect, it } from 'vitest';
import { MINUTE, NOW } from '../../../test/builders.ts';
import { aPolicy } from '../../../test/raw-objects.ts';
import { annotations } from '../../api/names.ts';
import type { Condition } from '../../api/resources.ts';
import { compilePolicy } from '../compile.ts';
import { createBreakers } from './breakers.ts';
import { markText } from './marks.ts';

const spec = { disruption: { breaker: { failures: 1, within: '1h' } } };
const policy = compilePolicy(aPolicy(spec));
const failed = [NOW - MINUTE];

function start() {
  const turned: string[] = [];
  const breakers = createBreakers(
    (of, { open }, isNews) => void turned.push(`${of.name} ${open ? 'open' : 'closed'} ${isNews ? 'now' : 'found'}`),
  );
  return { breakers, turned };
}

const withCondition = (condition: Condition) => ({ ...aPolicy(spec), status: { conditions: [condition] } });
const opened = () => {
  const { breakers } = start();
  breakers.turn(policy, aPolicy(spec), failed, NOW);
  return breakers.condition('repair') ?? expect.fail('no condition');
};

describe('the breakers', () => {
  it('tell that one has opened, once, and put it into a condition', () => {
    const { breakers, turned } = start();
    for (const now of [NOW, NOW + 1])
      expect(breakers.turn(policy, aPolicy(spec), failed, now)).toMatchObject({ open: true, failures: 1 });
    expect(turned).toEqual(['repair open now']);
    expect(breakers.condition('repair')).toMatchObject({
      type: 'BreakerOpen',
      status: 'True',
      lastTransitionTime: '2026-01-01T12:00:00Z',
    });
  });

  it('have no condition for a policy without one, or before the first failure', () => {
    const { breakers, turned } = start();
    expect(breakers.turn(compilePolicy(aPolicy()), aPolicy(), failed, NOW)).toBeNull();
    breakers.turn(policy, aPolicy(spec), [], NOW);
    expect([breakers.condition('repair'), turned]).toEqual([null, []]);
  });

  it('stay open for the next leader, who finds it in the condition, also when the failures are gone', () => {
    const { breakers, turned } = start();
    const later = NOW + 10_000 * MINUTE;
    expect(breakers.turn(policy, withCondition(opened()), [], later)).toMatchObject({ open: true });
    expect(turned).toEqual(['repair open found']);
  });

  it('are closed by a person, and the next leader knows that, too', () => {
    const { breakers, turned } = start();
    const base = withCondition(opened());
    const resumed = {
      ...base,
      metadata: { ...base.metadata, annotations: { [annotations.resumed]: markText('ann', '2026-01-01T12:05:00Z') } },
    };
    const now = NOW + 6 * MINUTE;
    expect(breakers.turn(policy, resumed, failed, now)).toMatchObject({ open: false });
    const closed = breakers.condition('repair') ?? expect.fail('no condition');
    expect(closed).toMatchObject({ status: 'False', lastTransitionTime: '2026-01-01T12:05:00Z' });
    expect(turned).toEqual(['repair closed now']);
    expect(start().breakers.turn(policy, withCondition(closed), failed, now)).toMatchObject({ open: false });
  });

  it('do not take a mark that cannot be read for a word', () => {
    const base = withCondition(opened());
    const marked = (text: string) => ({ ...base, metadata: { ...base.metadata, annotations: { [annotations.resumed]: text } } });
    for (const text of ['', '{', 'null', '{"by":"ann"}', '{"by":"ann","at":"soon"}', '{"by":"","at":"2026-01-01T12:05:00Z"}'])
      expect(start().breakers.turn(policy, marked(text), failed, NOW + 6 * MINUTE), text).toMatchObject({ open: true });
  });

  it('tell that one is gone with its policy', () => {
    const { breakers, turned } = start();
    breakers.turn(policy, aPolicy(spec), failed, NOW);
    breakers.forget('repair');
    expect(turned).toEqual(['repair open now', 'repair closed found']);
  });
});
