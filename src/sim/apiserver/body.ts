/** Request bodies: JSON, YAML or protobuf as the content type says. */
import { parse } from 'yaml';
import { badRequest } from './refusals.ts';
import { unsupportedMediaType } from './status.ts';
import { PROTOBUF, protobufBody } from './wire/protobuf-body.ts';

/** `--max-request-body-bytes` of upstream. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** Undefined when there is none; of another type: the text. @throws Failure 400, 415 */
export function parseBody(bytes: Buffer, contentType: string): unknown {
  if (bytes.length === 0) return undefined;
  if (contentType.startsWith(PROTOBUF)) {
    const body = protobufBody(bytes);
    if (body === undefined) throw unsupportedMediaType(['application/json', 'application/yaml']);
    return body;
  }
  const text = bytes.toString('utf8');
  // Whoever takes the request refuses the type.
  if (contentType !== '' && !/json|yaml/.test(contentType)) return text;
  try {
    // kubectl sends JSON under application/apply-patch+yaml too; the quick parser is tried first.
    if (!contentType.includes('yaml') || text.startsWith('{')) return JSON.parse(text);
  } catch (error) {
    if (!contentType.includes('yaml')) throw unreadable(error);
  }
  try {
    return parse(text) as unknown;
  } catch (error) {
    throw unreadable(error);
  }
}

const unreadable = (error: unknown) =>
  badRequest(
    `the object provided is unrecognized: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`,
  );
