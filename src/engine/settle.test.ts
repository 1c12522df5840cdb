import { describe, expect, it } from 'vitest';
import {
  aCordonedNode,
  aMaintenance,
  aPod,
  aReplicaSet,
  aView,
  aWorld,
  MINUTE,
  noNeeds,
  NOW,
  ownedBy,
  settings,
  type WorldParts,
} from '../../test/builders.ts';
import type { Pod, VolumeAttachment } from '../api/objects.ts';
import type { MaintenanceMemory } from './maintenance.ts';
import type { DrainSettings } from './settings.ts';
import { settlingBlocker } from './settle.ts';

interface Case extends WorldParts {
  readonly memory?: Partial<MaintenanceMemory>;
  readonly with?: Partial<DrainSettings>;
  readonly emptySince?: number;
}

function settle({ memory, with: changed, emptySince = NOW - MINUTE, ...parts }: Case = {}) {
  const needs = noNeeds();
  const known = { progressAt: null, moved: [], movedClaims: false, ...memory };
  const result = settlingBlocker({
    maintenance: aMaintenance({
      settings: settings(changed),
      memory: known,
      state: { phase: 'Settling', phaseSince: emptySince },
    }),
    node: aCordonedNode(),
    cause: true,
    admission: undefined,
    drain: undefined,
    world: aWorld(parts),
    needs,
    now: NOW,
  });
  return { result, needs };
}

const attachment = (volumeName: string): VolumeAttachment => ({
  namespace: '',
  name: volumeName,
  uid: volumeName,
  resourceVersion: '1',
  nodeName: 'node-1',
  volumeName,
  attached: true,
});
const moved = (kind: string, name = 'web', pod = 'web-1') => ({
  moved: [{ namespace: 'shop', name: pod, owner: ownedBy(kind, name) }],
});
const inShop = (pods: readonly Pod[], replicas = 2): WorldParts => ({
  workloadsOf: { shop: aView({ pods, replicaSets: [aReplicaSet({ replicas })] }) },
});

describe('an empty node', () => {
  it('has to stay empty for a while', () => {
    expect(settle({ emptySince: NOW - 4_999 }).result).toEqual({
      blocker: { cause: 'NotEmptyLongEnough', until: NOW + 1 },
      wakeAt: NOW + 1,
    });
    expect(settle({ emptySince: NOW - 5_000 }).result).toBeNull();
  });
});

describe('its volumes', () => {
  const attached = { attachmentsOf: () => [attachment('v-1')] };

  it('have to be detached', () => {
    expect(settle({ ...attached, memory: { movedClaims: true } }).result).toMatchObject({
      blocker: { cause: 'VolumesAttached', volumes: ['v-1'] },
    });
    expect(settle({ memory: { movedClaims: true } }).result).toBeNull();
  });

  it('are looked at also when nobody remembers which pods had any', () => {
    expect(settle({ ...attached, memory: { movedClaims: null } }).result).not.toBeNull();
  });

  it('are waited for until they have been read', () => {
    const { result, needs } = settle({ attachmentsOf: () => null, memory: { movedClaims: true } });
    expect(result).toMatchObject({ blocker: { cause: 'NotYetSeen' } });
    expect(needs.attachments).toBe(true);
  });

  it('cost nothing where no pod had one, or the policy does not care', () => {
    expect(settle(attached)).toMatchObject({ result: null, needs: { attachments: false } });
    expect(settle({ ...attached, memory: { movedClaims: true }, with: { waitForVolumes: false } })).toMatchObject({
      result: null,
      needs: { attachments: false },
    });
  });

  it('do not include those of pods that stay', () => {
    const pods = [aPod({ owner: ownedBy('DaemonSet', 'logs'), claims: ['logs'] })];
    expect(settle({ ...attached, pods, memory: { movedClaims: true } }).result).toBeNull();
  });
});

describe('what has left', () => {
  it('has to be Ready elsewhere', () => {
    const one = inShop([aPod({ name: 'b' }), aPod({ name: 'c', ready: false }), aPod({ name: 'd', deletedAt: NOW })]);
    expect(settle({ ...one, memory: moved('ReplicaSet') }).result).toEqual({
      blocker: { cause: 'NotSettled', owners: ['shop/ReplicaSet/web'], until: NOW + 9 * MINUTE },
      wakeAt: NOW + 9 * MINUTE,
    });
    expect(settle({ ...inShop([aPod({ name: 'b' }), aPod({ name: 'c' })]), memory: moved('ReplicaSet') }).result).toBeNull();
  });

  it('is read before it is judged', () => {
    const { result, needs } = settle({ memory: moved('ReplicaSet') });
    expect(result).toMatchObject({ blocker: { cause: 'NotYetSeen' } });
    expect([...needs.workloads]).toEqual(['shop']);
  });

  it('is not waited for when its owner is gone, wants fewer, or is of a kind that brings nothing back', () => {
    expect(settle({ workloadsOf: { shop: aView({ replicaSets: [] }) }, memory: moved('ReplicaSet') }).result).toBeNull();
    expect(settle({ ...inShop([], 0), memory: moved('ReplicaSet') }).result).toBeNull();
    expect(settle({ ...inShop([]), memory: moved('Job') }).result).toBeNull();
  });

  it('comes back under its own name from a StatefulSet', () => {
    const db = (overrides: Partial<Pod>) => inShop([aPod({ name: 'db-1', owner: ownedBy('StatefulSet', 'db'), ...overrides })]);
    const memory = moved('StatefulSet', 'db', 'db-1');
    expect(settle({ ...db({}), memory }).result).toBeNull();
    expect(settle({ ...db({ ready: false }), memory }).result).toMatchObject({
      blocker: { cause: 'NotSettled', owners: ['shop/StatefulSet/db'] },
    });
    expect(settle({ ...db({ name: 'db-0' }), memory }).result).toMatchObject({ blocker: { cause: 'NotSettled' } });
  });

  it('is waited for only so long, or not at all', () => {
    const unsettled = { ...inShop([]), memory: moved('ReplicaSet') };
    expect(settle({ ...unsettled, emptySince: NOW - 10 * MINUTE }).result).toBeNull();
    expect(settle({ ...unsettled, with: { settleTimeoutMs: null } }).result).toBeNull();
  });
});
