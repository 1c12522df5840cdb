/** Where a list in pages goes on: apiserver pkg/storage/continue.go. */
import { Failure } from './failure.ts';
import { badRequest } from './refusals.ts';

export interface Position {
  /** -1: whatever is there now. */
  readonly version: number;
  /** The first key of the page, or what comes right before it. */
  readonly start: string;
}

export function encodeContinue({ version, start }: Position): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start })).toString('base64url');
}

const invalid = (because: string) => badRequest(`continue key is not valid: ${because}`);

/** @throws Failure 400 */
export function decodeContinue(token: string): Position {
  let parsed: { readonly v?: unknown; readonly rv?: unknown; readonly start?: unknown };
  try {
    parsed = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as typeof parsed;
  } catch {
    throw invalid('it cannot be read');
  }
  if (parsed?.v !== 'meta.k8s.io/v1') throw invalid('server does not recognize this encoded version');
  if (typeof parsed.rv !== 'number' || parsed.rv === 0) {
    throw invalid('incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  if (typeof parsed.start !== 'string' || parsed.start === '') throw invalid('encoded start key empty (version meta.k8s.io/v1)');
  return { version: parsed.rv, start: parsed.start };
}

/** A page of a list whose version is forgotten. The token in it goes on with what is there now (etcd3/errors.go). */
export class ExpiredPage extends Failure {
  readonly continueToken: string;

  constructor(start: string) {
    super(
      410,
      'Expired',
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
        'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
        'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
        'deleted between the time the first chunk was returned and now may show up in the list.',
    );
    this.continueToken = encodeContinue({ version: -1, start });
  }
}
