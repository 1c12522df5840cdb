/** A node that Drover reboots was closed and emptied by it first, and each request reboots it once. */
import type { Millis } from '../../../src/lib/clock.ts';
import * as kinds from '../../../src/sim/apiserver/kinds.ts';
import type { Pod } from '../../../src/sim/kubernetes.ts';
import { isClosedByDrover, isRebootPod, journalOf, keyOf, ownerUid, podsLeftOn } from './marks-of-drover.ts';
import type { KeepWatch } from './promise.ts';

const ONCE = 'each request reboots its node once';
const DRAINED = 'no node is rebooted that was not drained';

/** What changed so recently may not have been seen: the longest that the run keeps a watch back. */
const UNSEEN_MS: Millis = 6_000;

const hasStarted = (pod: Pod | undefined): boolean =>
  pod?.status?.containerStatuses?.some(({ state }) => state?.running) ?? false;

export const rebootsOnceWhatItDrained: KeepWatch = (stage) => {
  const { api, clock } = stage;
  const boundAt = new Map<string, Millis>();
  const openedAt = new Map<string, Millis>(); // by node name
  const reboots = new Map<string, number>(); // by uid of the maintenance

  stage.watch(kinds.nodes, ({ object, previous }) => {
    if (isClosedByDrover(previous) && !isClosedByDrover(object)) openedAt.set(object.metadata.name, clock.now());
  });

  const recently = (at: Millis | undefined) => at !== undefined && clock.now() - at < UNSEEN_MS;

  stage.watch(kinds.pods, ({ type, object, previous }, by) => {
    const { uid } = object.metadata;
    const nodeName = object.spec.nodeName ?? '';
    if (nodeName !== '' && previous?.spec.nodeName === undefined) boundAt.set(uid, clock.now());
    if (!isRebootPod(object)) return;
    const owner = ownerUid(object) ?? '';
    if (type === 'ADDED' && by) {
      const node = api.get(kinds.nodes, '', nodeName);
      const maintenance = api.list(stage.maintenances).find((each) => each.metadata.uid === owner);
      const broken = (how: string) => stage.broken(DRAINED, `${keyOf(object)} on ${nodeName}: ${how}`);
      if (maintenance && maintenance.status?.action?.pod !== keyOf(object)) broken('its status does not say so');
      if (!node || recently(openedAt.get(nodeName))) return;
      if (!isClosedByDrover(node) || journalOf(node)?.by !== maintenance?.metadata.name) broken('the node is not in its hand');
      const left = podsLeftOn(stage, nodeName).filter((pod) => !recently(boundAt.get(pod.metadata.uid)));
      if (left.length > 0) broken(`${left.map(keyOf).join(', ')} still on it`);
    }
    // The machine goes down in the very instant in which the command runs.
    if (type !== 'MODIFIED' || !hasStarted(object) || hasStarted(previous)) return;
    const count = (reboots.get(owner) ?? 0) + 1;
    reboots.set(owner, count);
    if (count > 1) stage.broken(ONCE, `${keyOf(object)} reboots ${nodeName} for the ${count}th time`);
    const node = api.get(kinds.nodes, '', nodeName);
    if (node && !isClosedByDrover(node) && !recently(openedAt.get(nodeName)))
      stage.broken(DRAINED, `${keyOf(object)} reboots ${nodeName}, which is back in service`);
  });

  return {
    whenAtRest() {
      for (const { metadata, spec, status } of api.list(stage.maintenances)) {
        const { bootIdBefore, bootIdAfter, doneAt } = status?.action ?? {};
        if (spec.action !== 'Reboot' || doneAt === undefined) continue;
        if (bootIdAfter === undefined || bootIdAfter === bootIdBefore)
          stage.broken(ONCE, `${metadata.name} calls ${spec.nodeName} rebooted, and its boot id is ${bootIdAfter ?? 'unknown'}`);
      }
    },
  };
};
