/** Machines that go, from the agent's annotation to the emptied node. */
import { expect, it } from 'vitest';
import { MINUTE, nameOf, SECOND, spotNotice, startSpotBed } from '../../test/spot-bed.ts';

it('a machine that goes takes the place of one that does not, and its node stays out whatever becomes of the notice', async () => {
  const { tell, label, pass, story, inMs, of, node, end } = await startSpotBed(6);
  const [first, second] = [nameOf(0), nameOf(1)];
  label(first);
  label(second);
  await pass(5 * SECOND);
  expect(story).toEqual([`cordoned ${first}`]);
  expect(of(second)?.status?.waitingFor).toMatchObject({ cause: 'MaxNodes' });
  tell(second, spotNotice(inMs(2 * MINUTE)));
  await pass(3 * SECOND);
  // The maintenance that waited is told of it, and goes on as what it is.
  expect(of(second)?.spec).toMatchObject({ policy: 'rotation', notice: { kind: 'SpotInterruption' } });
  expect(story).toEqual([`cordoned ${first}`, `cordoned ${second}`]);
  tell(second);
  await pass(110 * SECOND);
  expect(story).toContain(`emptied ${second}`);
  expect(story).not.toContain(`emptied ${first}`);
  await pass(10 * MINUTE);
  expect(node(second)?.spec?.unschedulable).toBe(true);
  await end();
});

it('a notice that is taken back gives the node back, and one of a drain under way only takes its hurry away', async () => {
  const { tell, label, pass, story, inMs, of, node, end } = await startSpotBed(6);
  const [first, second] = [nameOf(0), nameOf(1)];
  const redeploy = { kind: 'Redeploy', source: 'azure', id: 'r-1', goneAt: inMs(30 * MINUTE), revocable: true };
  label(second);
  await pass(5 * SECOND);
  tell(first, redeploy);
  tell(second, redeploy);
  await pass(5 * SECOND);
  expect(story).toEqual([`cordoned ${second}`, `cordoned ${first}`]);
  expect(of(second)?.spec).toHaveProperty('notice.id', 'r-1');
  tell(first);
  tell(second);
  await pass(5 * SECOND);
  expect(node(first)?.spec?.unschedulable).toBeFalsy();
  expect(of(first)?.status).toMatchObject({ phase: 'Cancelled', message: 'the reason no longer holds' });
  expect(node(second)?.spec?.unschedulable).toBe(true);
  expect(of(second)?.spec).not.toHaveProperty('notice');
  expect(of(second)?.spec).not.toHaveProperty('deadline');
  await end();
});

it('a machine that is there long after it should have gone is given back', async () => {
  const { tell, pass, inMs, of, node, end } = await startSpotBed(6);
  tell(nameOf(0), spotNotice(inMs(2 * MINUTE)));
  await pass(2 * MINUTE);
  tell(nameOf(0));
  await pass(14 * MINUTE);
  expect(of(nameOf(0))?.status?.phase).toBe('Drained');
  await pass(2 * MINUTE);
  expect(of(nameOf(0))?.status?.phase).toBe('HandedBack');
  expect(node(nameOf(0))?.spec?.unschedulable).toBeFalsy();
  await end();
});

it('a notice that comes after a person has cancelled something else is heeded', async () => {
  const { tell, label, cancel, pass, story, inMs, end } = await startSpotBed(6, {
    reasons: [
      { type: 'Label', label: { key: 'maintenance' } },
      { type: 'Signal', signal: { kinds: ['SpotInterruption'] } },
    ],
    priority: 20,
  });
  label(nameOf(0));
  await pass(5 * SECOND);
  expect(story).toEqual([`cordoned ${nameOf(0)}`]);
  cancel(nameOf(0));
  await pass(5 * SECOND);
  expect(story).toEqual([`cordoned ${nameOf(0)}`, `opened ${nameOf(0)}`]);
  tell(nameOf(0), spotNotice(inMs(2 * MINUTE)));
  await pass(5 * SECOND);
  expect(story.at(-1)).toBe(`cordoned ${nameOf(0)}`);
  await end();
});
