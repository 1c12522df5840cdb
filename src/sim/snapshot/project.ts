/** Copies of JSON values that have only the fields of a shape. */

/** `true`: whole, as it is. A list with one shape: that of each element. An object: the fields that stay, in this order. */
export type Shape = true | readonly [Shape] | { readonly [field: string]: Shape };

/** Undefined for what is absent, null, or of another type than the shape says. */
export function project(value: unknown, shape: Shape): unknown {
  if (value === null || value === undefined) return undefined;
  if (shape === true) return value;
  if (typeof value !== 'object') return undefined;
  if (isList(shape)) return Array.isArray(value) ? value.map((element) => project(element, shape[0])) : undefined;
  const given = value as Readonly<Record<string, unknown>>;
  const out: Record<string, unknown> = {};
  for (const field in shape) {
    const kept = project(given[field], shape[field] as Shape);
    if (kept !== undefined) out[field] = kept;
  }
  return out;
}

const isList = (shape: Exclude<Shape, true>): shape is readonly [Shape] => Array.isArray(shape);
