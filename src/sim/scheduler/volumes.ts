/** What a pod's claims demand of a node: bound volumes by their node affinity and zone labels (plugins/volumebinding, volumezone). */
import type { Api } from '../apiserver/api.ts';
import { claims, storageClasses, volumes } from '../apiserver/kinds.ts';
import type { Claim, Pod } from '../kubernetes.ts';
import { TOPOLOGY_LABELS, type VolumeRules } from './placement-filter.ts';

/** `problem` keeps the pod from every node, in upstream's words. */
export type VolumeDemand =
  | { readonly problem: string; readonly rules?: undefined; readonly unbound?: undefined }
  | { readonly problem?: undefined; readonly rules: VolumeRules | undefined; readonly unbound: readonly Claim[] };

/** Names of the claims that a pod mounts, those of ephemeral volumes included. */
export function claimNames(pod: Pod): readonly string[] {
  const names: string[] = [];
  for (const { name, persistentVolumeClaim, ephemeral } of pod.spec.volumes ?? []) {
    if (persistentVolumeClaim) names.push(persistentVolumeClaim.claimName);
    else if (ephemeral) names.push(`${pod.metadata.name}-${name}`);
  }
  return names;
}

const quoted = (name: string) => `persistentvolumeclaim ${JSON.stringify(name)}`;

function waitsForConsumer(api: Api, { spec }: Claim): boolean {
  const storageClass = spec.storageClassName ? api.get(storageClasses, '', spec.storageClassName) : undefined;
  return storageClass?.['volumeBindingMode'] === 'WaitForFirstConsumer';
}

/** Looks the claims up as they are now. `unbound` are those that are bound with the pod. */
export function volumeDemand(api: Api, pod: Pod, names: readonly string[]): VolumeDemand {
  const affinity: VolumeRules['affinity'][number][] = [];
  const zones: VolumeRules['zones'][number][] = [];
  const unbound: Claim[] = [];
  let immediate = false;
  for (const name of names) {
    const claim = api.get(claims, pod.metadata.namespace ?? '', name);
    if (!claim) {
      const ephemeral = !pod.spec.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === name);
      if (ephemeral) return { problem: `waiting for ephemeral volume controller to create the ${quoted(name)}` };
      return { problem: `${quoted(name)} not found` };
    }
    const { volumeName } = claim.spec;
    if (claim.status?.phase === 'Lost')
      return { problem: `${quoted(name)} bound to non-existent persistentvolume "${volumeName ?? ''}"` };
    if (claim.metadata.deletionTimestamp !== undefined) return { problem: `${quoted(name)} is being deleted` };
    if (!volumeName) {
      if (waitsForConsumer(api, claim)) unbound.push(claim);
      else immediate = true;
      continue;
    }
    const volume = api.get(volumes, '', volumeName);
    // Upstream says this of each node; a claim without its volume has none.
    if (!volume) return { problem: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)' };
    const terms = volume.spec.nodeAffinity?.required?.nodeSelectorTerms;
    if (terms) affinity.push(terms);
    for (const label of TOPOLOGY_LABELS) {
      const value = volume.metadata.labels?.[label];
      if (value !== undefined) zones.push({ label, values: value.split('__') });
    }
  }
  if (immediate) return { problem: 'pod has unbound immediate PersistentVolumeClaims' };
  if (affinity.length === 0 && zones.length === 0) return { rules: undefined, unbound };
  return { rules: { key: JSON.stringify([affinity, zones]), affinity, zones }, unbound };
}
