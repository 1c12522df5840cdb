/** Times of a scenario: one duration, or a range from which each occurrence draws its own. */
import * as z from 'zod';
import { isDuration, parseDuration } from '../../api/duration.ts';
import type { Millis } from '../../lib/clock.ts';
import type { Latency } from '../apiserver/api.ts';

/** "30s" or "0s", in milliseconds. */
export const time = z
  .string()
  .refine(isDuration, { error: 'must be a duration like 500ms, 30s or 1h30m' })
  .meta({ title: 'duration' })
  .transform((text): Millis => parseDuration(text));

const RANGE = /^(\S+) to (\S+)$/;

function parseSpan(text: string): Latency | undefined {
  const [, from = text, to = text] = RANGE.exec(text) ?? [];
  if (!isDuration(from) || !isDuration(to)) return undefined;
  const spread = parseDuration(to) - parseDuration(from);
  return spread < 0 ? undefined : { least: parseDuration(from), spread };
}

/** "2s", or "2s to 5s": evenly between the two. */
export const span = z
  .string()
  .meta({ title: 'duration, or DURATION to DURATION' })
  .transform((text, context): Latency => {
    const parsed = parseSpan(text);
    if (parsed) return parsed;
    context.addIssue('must be a duration like 2s, or a range like 2s to 5s');
    return z.NEVER;
  });
