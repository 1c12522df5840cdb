import { createReadStream, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** One request as the API server logged it: a watch when it was opened or refused, any other when it was answered. */
export interface AuditLine {
  readonly user: string;
  /** get, list, watch, create, update, patch, delete, deletecollection */
  readonly verb: string;
  readonly stage: string;
  readonly userAgent: string;
  readonly uri: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** HTTP status. */
  readonly code: number;
  /** Milliseconds since the epoch, with fractions. */
  readonly requestReceived: number;
  readonly finished: number;
  /** Present with audit: 'Request'. */
  readonly requestObject?: unknown;
}

export interface AuditFilter {
  /** From `auditMark()`: only what was logged after it. */
  readonly from?: number;
  readonly user?: string;
  readonly verb?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly code?: number;
}

export const auditPath = (folder: string) => join(folder, 'audit.log');

/** The log's size in bytes, to read on from here later. */
export function auditMark(folder: string): number {
  return existsSync(auditPath(folder)) ? statSync(auditPath(folder)).size : 0;
}

interface RawEvent {
  user?: { username?: string };
  verb?: string;
  stage?: string;
  userAgent?: string;
  requestURI?: string;
  objectRef?: { resource?: string; subresource?: string; namespace?: string; name?: string };
  responseStatus?: { code?: number };
  requestReceivedTimestamp?: string;
  stageTimestamp?: string;
  requestObject?: unknown;
}

/** "2026-11-21T14:40:40.123456Z" keeps its microseconds, which Date drops. */
function millis(timestamp: string | undefined): number {
  const [, whole = '', fraction = ''] = /^([^.]+)(\.\d+)?Z$/.exec(timestamp ?? '') ?? [];
  return Date.parse(`${whole}Z`) + Number(fraction || 0) * 1000;
}

export function parseAuditLine(text: string): AuditLine {
  const raw = JSON.parse(text) as RawEvent;
  const { resource = '', subresource = '', namespace = '', name = '' } = raw.objectRef ?? {};
  return {
    user: raw.user?.username ?? '',
    verb: raw.verb ?? '',
    stage: raw.stage ?? '',
    userAgent: raw.userAgent ?? '',
    uri: raw.requestURI ?? '',
    resource,
    subresource,
    namespace,
    name,
    code: raw.responseStatus?.code ?? 0,
    requestReceived: millis(raw.requestReceivedTimestamp),
    finished: millis(raw.stageTimestamp),
    ...(raw.requestObject === undefined ? {} : { requestObject: raw.requestObject }),
  };
}

/** A request that takes long is logged at ResponseStarted and again at its end: one of the two counts. */
function counts(line: AuditLine): boolean {
  const opened = line.stage === 'ResponseStarted';
  return line.verb === 'watch' ? opened || line.code >= 400 : !opened;
}

/** Reads what the API server has logged so far; the file is written before a request is answered. @throws Error without audit */
export async function* readAuditLog(folder: string, filter: AuditFilter = {}): AsyncGenerator<AuditLine> {
  if (!existsSync(auditPath(folder)))
    throw new Error('this bed keeps no audit log: start it with audit: "Metadata" or "Request"');
  const { from = 0, ...wanted } = filter;
  const conditions = Object.entries(wanted) as [keyof AuditLine, unknown][];
  const lines = createInterface({ input: createReadStream(auditPath(folder), { start: from }), crlfDelay: Infinity });
  for await (const text of lines) {
    if (!text.endsWith('}')) continue; // the line that is being written
    const line = parseAuditLine(text);
    if (counts(line) && conditions.every(([key, value]) => line[key] === value)) yield line;
  }
}
