/** The selector by which a pod without constraints of its own is spread: of its Services and its owner (plugins/helper/spread.go). */
import type { Api } from '../apiserver/api.ts';
import { replicaSets, replicationControllers, services, statefulSets } from '../apiserver/kinds.ts';
import { createSelectorIndex } from '../controllers/selector-index.ts';
import type { Labels, Selector, SelectorRequirement, Service } from '../kubernetes.ts';
import { matchesPairs } from './node-affinity.ts';
import type { DefaultSelectors } from './topology-spread.ts';

export interface ServiceSelectors extends DefaultSelectors {
  stop(): void;
}

function ownerSelector(api: Api, namespace: string, kind: string, name: string): Selector | undefined {
  if (kind === 'ReplicaSet') return api.get(replicaSets, namespace, name)?.spec.selector;
  if (kind === 'StatefulSet') return api.get(statefulSets, namespace, name)?.spec.selector;
  if (kind !== 'ReplicationController') return undefined;
  const spec = api.get(replicationControllers, namespace, name)?.['spec'] as { readonly selector?: Labels } | undefined;
  return spec?.selector && { matchLabels: spec.selector };
}

export function createServiceSelectors(api: Api): ServiceSelectors {
  const known = new Map<string, { version: number; readonly services: Map<string, Service> }>();
  const index = createSelectorIndex();
  const stop = api.watch(
    services,
    ({ type, object }) => {
      const { namespace = '', name } = object.metadata;
      let entry = known.get(namespace);
      if (!entry) known.set(namespace, (entry = { version: 0, services: new Map() }));
      // A Service without selector matches nobody, one with an empty selector everybody.
      if (type === 'DELETED' || !object.spec.selector) {
        entry.services.delete(name);
        index.delete(`${namespace}/${name}`);
      } else {
        entry.services.set(name, object);
        index.set(`${namespace}/${name}`, namespace, { matchLabels: object.spec.selector });
      }
      entry.version++;
    },
    { replay: true },
  );
  return {
    stop,
    version: (namespace) => known.get(namespace)?.version ?? 0,
    selectorOf({ namespace, labels, owner }) {
      const matchLabels: Record<string, string> = {};
      for (const id of index.candidates(namespace, labels)) {
        const selector = known.get(namespace)?.services.get(id.slice(namespace.length + 1))?.spec.selector;
        if (selector && matchesPairs(selector, labels)) Object.assign(matchLabels, selector);
      }
      const of = owner && ownerSelector(api, namespace, owner.kind, owner.name);
      const matchExpressions: SelectorRequirement[] = [...(of?.matchExpressions ?? [])];
      for (const [key, value] of Object.entries(of?.matchLabels ?? {})) {
        if ((matchLabels[key] ??= value) !== value) matchExpressions.push({ key, operator: 'In', values: [value] });
      }
      if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) return undefined;
      return { matchLabels, ...(matchExpressions.length > 0 && { matchExpressions }) };
    },
  };
}
