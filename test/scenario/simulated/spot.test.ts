import { expect, it } from 'vitest';
import { MINUTE, nameOf, SECOND, spotNotice, startSpotBed } from '../../spot-bed.ts';

it('a thousand machines that go at once do not wait for one another, nor for a rotation', { timeout: 180_000 }, async () => {
  const { tell, label, pass, story, inMs, of, end } = await startSpotBed(1_010);
  label(nameOf(1_000));
  await pass(5 * SECOND);
  expect(story).toEqual([`cordoned ${nameOf(1_000)}`]); // its budgets are shut: it stands still
  const goneAt = inMs(2 * MINUTE);
  for (let index = 0; index < 1_000; index += 1) tell(nameOf(index), spotNotice(goneAt));
  await pass(40 * SECOND);
  // All are closed while none could be emptied: no drain has waited for the end of another.
  expect(story.filter((each) => each.startsWith('cordoned'))).toHaveLength(1_001);
  expect(story.filter((each) => each.startsWith('emptied'))).toEqual([]);
  await pass(100 * SECOND);
  const emptied = new Set(story.filter((each) => each.startsWith('emptied')));
  expect(emptied.size).toBe(1_000);
  expect(emptied).not.toContain(`emptied ${nameOf(1_000)}`);
  expect(of(nameOf(0))?.spec).toMatchObject({
    deadline: `${goneAt.slice(0, 19)}Z`,
    notice: { kind: 'SpotInterruption', profile: 'TwoMinutes', revocable: false },
  });
  await end();
});
