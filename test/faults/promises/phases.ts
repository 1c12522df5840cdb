/** One maintenance has a node in hand, never two; and a node that is called drained is empty. */
import type { Millis } from '../../../src/lib/clock.ts';
import * as kinds from '../../../src/sim/apiserver/kinds.ts';
import { isPodFinished } from '../../../src/sim/conditions.ts';
import { keyOf, maintenanceOf } from './marks-of-drover.ts';
import type { KeepWatch } from './promise.ts';

const working = new Set(['Draining', 'Settling', 'Drained']);

export const oneMaintenancePerNode: KeepWatch = (stage) => {
  stage.watch(stage.maintenances, ({ type, object, previous }) => {
    const { status, spec } = object;
    if (type === 'DELETED' || status?.phase === previous?.status?.phase || !working.has(status?.phase ?? '')) return;
    for (const other of stage.api.list(stage.maintenances)) {
      if (other.metadata.uid === object.metadata.uid || other.spec.nodeName !== spec.nodeName) continue;
      if (!working.has(other.status?.phase ?? '') || other.status?.finishedAt !== undefined) continue;
      // A status may be behind, when its write was refused; who has the node in hand is written on the node.
      if (maintenanceOf(stage, spec.nodeName)?.metadata.uid !== other.metadata.uid) continue;
      const both = `${object.metadata.name} (${status?.phase}) and ${other.metadata.name} (${other.status?.phase})`;
      stage.broken('one maintenance has a node in hand', `node ${spec.nodeName}: ${both}`);
    }
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
    const left = api.list(kinds.pods, { fields: { 'spec.nodeName': nodeName } }).filter((pod) => {
      const isDaemon = pod.metadata.ownerReferences?.some(({ kind }) => kind === 'DaemonSet') ?? false;
      const recent = clock.now() - (boundAt.get(pod.metadata.uid) ?? Number.NEGATIVE_INFINITY) < UNSEEN_MS;
      return !isDaemon && !recent && !isPodFinished(pod);
    });
    if (left.length > 0 && api.get(kinds.nodes, '', nodeName))
      stage.broken('a node that is called drained is empty', `${nodeName} still has ${left.map(keyOf).join(', ')}`);
  });
  return {};
};
