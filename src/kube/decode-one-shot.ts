/** Pods and Jobs that Drover has created to act on a node: how they stand, and what they say. JSON only: there are few of them. */
import type { OneShot } from '../api/objects.ts';
import { identity, metaOf, timeOf } from './raw.ts';

interface RawContainerState {
  waiting?: { reason?: string; message?: string };
  terminated?: { exitCode?: number; reason?: string; message?: string };
}

interface RawPodStatus {
  phase?: string;
  reason?: string;
  message?: string;
  containerStatuses?: { state?: RawContainerState }[] | null;
}

const states: Readonly<Record<string, OneShot['state']>> = {
  Running: 'Running',
  Succeeded: 'Succeeded',
  Failed: 'Failed',
};

/** @throws BrokenFrame when `object` is no Kubernetes object. */
export function decodeOneShotPod(object: unknown): OneShot {
  const meta = metaOf(object);
  const { status = {} } = object as { status?: RawPodStatus };
  const { waiting, terminated } = status.containerStatuses?.[0]?.state ?? {};
  const deletedAt = timeOf(meta.deletionTimestamp);
  return {
    ...identity(meta),
    ...(deletedAt !== undefined && { deletedAt }),
    state: states[status.phase ?? ''] ?? 'Pending',
    // The kubelet's word goes first: that it ended the pod says more than how the container took it.
    reason: status.reason ?? terminated?.reason ?? waiting?.reason ?? '',
    message: terminated?.message ?? status.message ?? waiting?.message ?? '',
    ...(terminated?.exitCode !== undefined && { exitCode: terminated.exitCode }),
  };
}

interface RawJobStatus {
  active?: number;
  conditions?: { type?: string; status?: string; reason?: string; message?: string }[] | null;
}

/** @throws BrokenFrame when `object` is no Kubernetes object. */
export function decodeOneShotJob(object: unknown): OneShot {
  const meta = metaOf(object);
  const { status = {} } = object as { status?: RawJobStatus };
  const said = (type: string) => status.conditions?.find((each) => each.type === type && each.status === 'True');
  const [complete, failed] = [said('Complete'), said('Failed')];
  const end = failed ?? complete;
  const deletedAt = timeOf(meta.deletionTimestamp);
  return {
    ...identity(meta),
    ...(deletedAt !== undefined && { deletedAt }),
    state: failed ? 'Failed' : complete ? 'Succeeded' : (status.active ?? 0) > 0 ? 'Running' : 'Pending',
    reason: failed ? (end?.reason ?? '') : '',
    message: failed ? (end?.message ?? '') : '',
  };
}
