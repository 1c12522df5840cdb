/** What the beats of thousands of kubelets cost the controller: nothing, unless there is news in one. */
import { expect, it } from 'vitest';
import { first, startOnSimulation } from '../../test/controller-on-simulation.ts';

it('looks at nothing when kubelets only say that they are alive, and works with the newest version of a node', async () => {
  const cluster = await startOnSimulation({ heartbeats: true });
  await cluster.to('01T12:10'); // the first beats complete what was loaded
  const version = () => cluster.node(first)?.metadata.resourceVersion;
  const [passes, before] = [cluster.passes(), version()];
  await cluster.to('01T13:00');
  expect(version()).not.toBe(before);
  expect(cluster.passes()).toBe(passes);

  // A patch that carried an older version would be refused, and the node closed one look later.
  cluster.label(first);
  await cluster.to('01T13:01');
  expect(cluster.node(first)).toMatchObject({ spec: { unschedulable: true } });
  expect(cluster.conflicts()).toBe(0);
  await cluster.stop();
});
