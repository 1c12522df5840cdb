/** The small types of which the resources are made. A `title` is the type's name on the reference page; the CRDs drop it. */
import * as z from 'zod';
import { withRules } from './cel-rule.ts';
import { DURATION_PATTERN, parseDuration } from './duration.ts';
import { PERCENT_PATTERN } from './int-or-percent.ts';

/** A text of this form. */
export const matching = (pattern: string, error: string) => z.string().regex(new RegExp(pattern), { error });

/** @param atLeast a duration, for values where less would make no sense. @param atMost likewise, for more */
export function duration(atLeast?: string, atMost?: string) {
  const text = matching(DURATION_PATTERN, 'must be a duration like 30s, 10m or 1h30m').max(32).meta({ title: 'duration' });
  if (atLeast === undefined) return text;
  const least = parseDuration(atLeast);
  return withRules(text, [
    {
      cel: `duration(self) >= duration('${atLeast}')`,
      message: `must be at least ${atLeast}`,
      holds: (value) => parseDuration(value) >= least,
    },
    ...(atMost === undefined
      ? []
      : [
          {
            cel: `duration(self) <= duration('${atMost}')`,
            message: `must be at most ${atMost}`,
            holds: (value: string) => parseDuration(value) <= parseDuration(atMost),
          },
        ]),
  ]);
}

export function intOrPercent() {
  const error = 'must be a number of nodes like 2 or a percentage like 10%';
  return z
    .union([z.int32().min(0), matching(PERCENT_PATTERN, error)], { error })
    .meta({ title: 'int or percentage', 'x-kubernetes-int-or-string': true });
}

export function dateTime() {
  return z.iso.datetime({ offset: true, error: 'must be a time like 2026-11-21T14:02:00Z' }).meta({ title: 'time' });
}

const SUBDOMAIN = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';
const NAME_PART = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

/** The name of a node or of a cluster-scoped object. */
export function objectName() {
  return matching(`^${SUBDOMAIN}$`, 'must be a name of lower-case letters, digits, - and .').min(1).max(253);
}

export function namespaceName() {
  return matching('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', 'must be a name of lower-case letters, digits and -').min(1).max(63);
}

export const QUALIFIED_NAME_PATTERN = `^(${SUBDOMAIN}/)?${NAME_PART}$`;

/** The key of a label, annotation, taint or the type of a condition: an optional prefix, a slash, a name. */
export function qualifiedName() {
  return matching(QUALIFIED_NAME_PATTERN, 'must be a key like app or example.com/app').min(1).max(317);
}

/** The value of a label or taint; may be empty. */
export function labelValue() {
  return matching(
    `^(${NAME_PART})?$`,
    'must be at most 63 letters, digits, -, _ and ., beginning and ending with a letter or digit',
  ).max(63);
}
