/** JSON merge patches (RFC 7396) between two versions of an object. */

/** The merge patch that turns one status into another: what is no longer there is named as null. */
export function mergePatch(
  from: Readonly<Record<string, unknown>> | undefined,
  to: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(from ?? {})) if (!(key in to)) patch[key] = null;
  for (const [key, value] of Object.entries(to)) {
    const before = from?.[key];
    if (isPlain(value) && isPlain(before)) {
      const inner = mergePatch(before, value);
      if (Object.keys(inner).length > 0) patch[key] = inner;
    } else if (JSON.stringify(before) !== JSON.stringify(value)) patch[key] = value;
  }
  return patch;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
