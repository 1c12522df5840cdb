/** A limit on nodes as a number or as a share of them: 2 or "10%". */

/** As written in a resource. */
export type IntOrPercent = number | string;

export type Limit = { readonly count: number } | { readonly percent: number };

/** "0%" to "100%", whole percents. */
export const PERCENT_PATTERN = '^(100|[1-9]?[0-9])%$';

const percentText = new RegExp(PERCENT_PATTERN);

/** Throws a RangeError for what the schema would refuse: negative numbers, fractions, other texts. */
export function parseLimit(value: IntOrPercent): Limit {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return { count: value };
  if (typeof value === 'string' && percentText.test(value)) return { percent: Number.parseInt(value, 10) };
  throw new RangeError(`${JSON.stringify(value)} is neither a number of nodes (2) nor a percentage (10%)`);
}

/** How many of `total`: a percentage rounds down but never to nothing (10% of 5 is 1), unless it is 0%. */
export function resolveLimit(limit: Limit, total: number): number {
  if ('count' in limit) return limit.count;
  return limit.percent === 0 ? 0 : Math.max(1, Math.floor((total * limit.percent) / 100));
}
