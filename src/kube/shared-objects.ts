/** For a client that hands out the server's own objects: two watches that are told of the same object decode it once. */
import type { ObjectMeta } from '../api/objects.ts';
import type { ResourceKind } from './kinds.ts';

const sharing = new WeakMap<object, object>();

/** The kind with a decoder that remembers its answers for as long as the objects live. They must not change. */
export function decodeOnce<T extends ObjectMeta>(kind: ResourceKind<T>): ResourceKind<T> {
  const known = sharing.get(kind) as ResourceKind<T> | undefined;
  if (known) return known;
  const decoded = new WeakMap<object, ReturnType<ResourceKind<T>['decodeJson']>>();
  const once: ResourceKind<T> = {
    ...kind,
    decodeJson(object) {
      const found = decoded.get(object as object);
      if (found !== undefined) return found;
      const made = kind.decodeJson(object);
      decoded.set(object as object, made);
      return made;
    },
  };
  sharing.set(kind, once);
  return once;
}
