/** Parts of objects that a schema has been put to and has left as they are. */
import type { Schema } from './schema.ts';

export interface Settled {
  has(schema: Schema, value: object): boolean;
  add(schema: Schema, value: object): void;
}

/**
 * Values are never changed in place and schemas live as long as their definition, so that an answer holds. An object's next version shares
 * most of its parts with the one before: with every write of a status each part would be looked through again, at both ends of a patch.
 */
export function createSettled(): Settled {
  const known = new WeakMap<Schema, WeakSet<object>>();
  return {
    has: (schema, value) => known.get(schema)?.has(value) ?? false,
    add(schema, value) {
      let values = known.get(schema);
      if (!values) known.set(schema, (values = new WeakSet()));
      values.add(value);
    },
  };
}
