/** The query of a write, and DeleteOptions, which may come in the body: apimachinery pkg/apis/meta/v1/validation. */
import type { DeleteOptions, Propagation } from './api.ts';
import type { ApiRequest } from './door.ts';
import { badRequest, type FieldError, invalid, notSupported } from './refusals.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface WriteQuery {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  /** Undefined when it is not said. */
  readonly force: boolean | undefined;
}

const VALIDATIONS: readonly FieldValidation[] = ['Ignore', 'Strict', 'Warn'];

/** The message shows the whole list where others show one value. */
function dryRunErrors(values: readonly unknown[]): FieldError[] {
  if (values.every((value) => value === 'All')) return [];
  const message = `Unsupported value: ${JSON.stringify(values)}: supported values: "All"`;
  return [{ reason: 'FieldValueNotSupported', field: 'dryRun', message }];
}

/** Who a write without a field manager is booked to: the user agent up to its first slash. */
function managerOf(request: ApiRequest): string {
  const named = request.query.get('fieldManager');
  if (named) return named;
  return (request.userAgent ?? '').split('/')[0] || 'unknown';
}

/** `optionsKind`: "CreateOptions", "UpdateOptions", "PatchOptions", for messages. @throws Failure 422 */
export function writeQuery(request: ApiRequest, optionsKind: string): WriteQuery {
  const { query } = request;
  const dryRun = query.getAll('dryRun').filter((value) => value !== '');
  const validation = query.get('fieldValidation') || 'Warn';
  const errors = [
    ...dryRunErrors(dryRun),
    ...(VALIDATIONS.includes(validation as FieldValidation)
      ? []
      : [notSupported('fieldValidation', validation, ['', ...VALIDATIONS])]),
  ];
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: optionsKind }, '', errors);
  return {
    dryRun: dryRun.length > 0,
    fieldManager: managerOf(request),
    fieldValidation: validation as FieldValidation,
    force: query.has('force') ? query.get('force') === 'true' || query.get('force') === '1' : undefined,
  };
}

interface RawDeleteOptions {
  readonly gracePeriodSeconds?: number | null;
  readonly propagationPolicy?: string | null;
  readonly orphanDependents?: boolean | null;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | null;
  readonly dryRun?: readonly string[] | null;
}

function fromQuery(query: URLSearchParams): RawDeleteOptions {
  const [grace, policy, orphan] = ['gracePeriodSeconds', 'propagationPolicy', 'orphanDependents'].map((name) => query.get(name));
  if (grace && !/^-?\d+$/.test(grace)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
  return {
    ...(grace ? { gracePeriodSeconds: Number(grace) } : {}),
    ...(policy ? { propagationPolicy: policy } : {}),
    ...(orphan ? { orphanDependents: orphan === 'true' } : {}),
    dryRun: query.getAll('dryRun'),
  };
}

function propagationErrors({ propagationPolicy, orphanDependents }: RawDeleteOptions): FieldError[] {
  if (!propagationPolicy || orphanDependents === null || orphanDependents === undefined) return [];
  const message = `Invalid value: ${JSON.stringify(propagationPolicy)}: orphanDependents and deletionPropagation cannot be both set`;
  return [{ reason: 'FieldValueInvalid', field: 'propagationPolicy', message }];
}

function propagationOf({ propagationPolicy, orphanDependents }: RawDeleteOptions): Propagation | undefined {
  if (propagationPolicy) return propagationPolicy as Propagation; // what is none of the three is refused by the registry
  if (orphanDependents === null || orphanDependents === undefined) return undefined;
  return orphanDependents ? 'Orphan' : 'Background';
}

/** Of the body where there is one, else of the query. @throws Failure 422 */
export function deleteOptions(body: unknown, query: URLSearchParams): DeleteOptions {
  const given = typeof body === 'object' && body !== null;
  const raw: RawDeleteOptions = given ? body : fromQuery(query);
  const dryRun = [...(raw.dryRun ?? []), ...(given ? query.getAll('dryRun') : [])].filter((value) => value !== '');
  const errors = [...dryRunErrors(dryRun), ...propagationErrors(raw)];
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
  const { gracePeriodSeconds, preconditions } = raw;
  const propagation = propagationOf(raw);
  return {
    ...(gracePeriodSeconds === null || gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions ? { preconditions } : {}),
    ...(propagation ? { propagation } : {}),
    ...(dryRun.length > 0 ? { dryRun: true } : {}),
  };
}
