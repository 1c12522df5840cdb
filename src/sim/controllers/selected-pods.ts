/** The pods of many selectors, kept up by pod events: what budgets and Services look at, without a scan of the namespace for each of them. */
import type { Api, WatchEvent } from '../apiserver/api.ts';
import { pods } from '../apiserver/kinds.ts';
import type { Pod, Selector } from '../kubernetes.ts';
import { createSelectedBy } from './selected-by.ts';

/** What is kept of the pods of one selector. */
export interface PodSet {
  put(pod: Pod): void;
  drop(name: string): void;
}

export interface SelectedPods<T extends PodSet> {
  /** Files a selector anew, with an empty set that fills up before it is next read. */
  set(key: string, namespace: string, selector: Selector | undefined, into: T): void;
  delete(key: string): void;
  /** Complete. */
  of(key: string): T | undefined;
  /** As far as it is filled. */
  peek(key: string): T | undefined;
  /** Passes a pod's event on to the sets; returns the keys that select it now, in order, and those that did so until now. */
  told(event: WatchEvent<Pod>): { readonly now: readonly string[]; readonly left: readonly string[] };
}

const none: readonly string[] = [];

export function createSelectedPods<T extends PodSet>(api: Api): SelectedPods<T> {
  const selectedBy = createSelectedBy();
  const sets = new Map<string, T>();
  /** By namespace. Filled together, in one pass over the pods: a thousand budgets made at once would be a thousand passes. */
  const unfilled = new Map<string, Set<string>>();
  const namespaceOf = (key: string) => key.slice(0, key.indexOf('/'));

  function fill(namespace: string): void {
    const keys = unfilled.get(namespace);
    unfilled.delete(namespace);
    if (!keys || keys.size === 0) return;
    for (const pod of api.list(pods, { namespace }))
      for (const key of selectedBy.matching(namespace, pod.metadata.labels)) if (keys.has(key)) sets.get(key)?.put(pod);
  }

  return {
    set(key, namespace, selector, into) {
      selectedBy.set(key, namespace, selector);
      sets.set(key, into);
      const keys = unfilled.get(namespace);
      if (keys) keys.add(key);
      else unfilled.set(namespace, new Set([key]));
    },
    delete(key) {
      selectedBy.delete(key);
      sets.delete(key);
      unfilled.get(namespaceOf(key))?.delete(key);
    },
    of(key) {
      const namespace = namespaceOf(key);
      if (unfilled.get(namespace)?.has(key)) fill(namespace);
      return sets.get(key);
    },
    peek: (key) => sets.get(key),
    told({ type, object, previous }) {
      const { name, namespace = '', labels } = object.metadata;
      const now = selectedBy.matching(namespace, labels);
      let left = none;
      if (type === 'MODIFIED' && previous.metadata.labels !== labels) {
        left = selectedBy.matching(namespace, previous.metadata.labels).filter((key) => !now.includes(key));
        for (const key of left) sets.get(key)?.drop(name);
      }
      for (const key of now) {
        if (type === 'DELETED') sets.get(key)?.drop(name);
        else sets.get(key)?.put(object);
      }
      return { now, left };
    },
  };
}
