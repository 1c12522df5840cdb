/** One maintenance has a node in hand, never two; and a node that is called drained is empty. */
import type { Millis } from '../../../src/lib/clock.ts';
import * as kinds from '../../../src/sim/apiserver/kinds.ts';
import type { Pod } from '../../../src/sim/kubernetes.ts';
import type { Maintenance } from '../stage.ts';
import { keyOf, maintenanceOf, podsLeftOn } from './marks-of-drover.ts';
import type { KeepWatch } from './promise.ts';

const working = new Set(['Draining', 'Settling', 'Rebooting', 'Verifying', 'Drained']);

/** A status that was kept on its way for so long may be written when another one has the node already. */
const ON_ITS_WAY_MS: Millis = 10_000;

export const oneMaintenancePerNode: KeepWatch = (stage) => {
  const { api, clock, maintenances } = stage;

  function judge({ metadata: { name, uid } }: Maintenance): void {
    const object = api.get(maintenances, '', name);
    if (object?.metadata.uid !== uid || !working.has(object.status?.phase ?? '') || object.status?.finishedAt !== undefined)
      return;
    const { spec, status } = object;
    for (const other of api.list(maintenances)) {
      if (other.metadata.uid === uid || other.spec.nodeName !== spec.nodeName) continue;
      if (!working.has(other.status?.phase ?? '') || other.status?.finishedAt !== undefined) continue;
      // A status may be behind, when its write was refused; who has the node in hand is written on the node.
      if (maintenanceOf(stage, spec.nodeName)?.metadata.uid !== other.metadata.uid) continue;
      const both = `${name} (${status?.phase}) and ${other.metadata.name} (${other.status?.phase})`;
      stage.broken('one maintenance has a node in hand', `node ${spec.nodeName}: ${both}`);
    }
  }

  stage.watch(maintenances, ({ type, object, previous }) => {
    const { status } = object;
    if (type === 'DELETED' || status?.phase === previous?.status?.phase || !working.has(status?.phase ?? '')) return;
    // What was true when it was sent need not be true any more when it is written: then it is put right at once.
    if (clock.now() - stage.troubledAt() > ON_ITS_WAY_MS) judge(object);
    else clock.after(ON_ITS_WAY_MS, () => judge(object));
  });
  return {};
};

/** A pod that was bound so recently may not have been seen: the longest that the run keeps a watch back. */
const UNSEEN_MS: Millis = 6_000;

export const drainsWhatItCallsDrained: KeepWatch = (stage) => {
  const { api, clock } = stage;
  const boundAt = new Map<string, Millis>();
  stage.watch(kinds.pods, ({ object, previous }) => {
    if (object.spec.nodeName !== undefined && previous?.spec.nodeName === undefined)
      boundAt.set(object.metadata.uid, clock.now());
  });
  stage.watch(stage.maintenances, ({ type, object, previous }) => {
    if (type !== 'MODIFIED' || object.status?.phase !== 'Drained' || previous?.status?.phase === 'Drained') return;
    const { nodeName } = object.spec;
    const isRecent = ({ metadata: { uid } }: Pod) => clock.now() - (boundAt.get(uid) ?? Number.NEGATIVE_INFINITY) < UNSEEN_MS;
    const left = podsLeftOn(stage, nodeName).filter((pod) => !isRecent(pod));
    if (left.length > 0 && api.get(kinds.nodes, '', nodeName))
      stage.broken('a node that is called drained is empty', `${nodeName} still has ${left.map(keyOf).join(', ')}`);
  });
  return {};
};
