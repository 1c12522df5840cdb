/** Reviews: resources that are asked, not stored. Everything is allowed unless a rule says otherwise; RBAC objects decide nothing. */
import type { Kind } from './api.ts';
import type { AccessQuestion, AccessRule, ApiAnswer, ApiRequest, User } from './door.ts';
import { Failure } from './failure.ts';
import { badRequest, invalid } from './refusals.ts';

function review(group: string, kind: string, plural: string, namespaced = false): Kind {
  return {
    group,
    version: 'v1',
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    namespaced,
    subresources: [],
    verbs: ['create'],
  };
}

const AUTHORIZATION = 'authorization.k8s.io';

export const reviewKinds: readonly Kind[] = [
  review('authentication.k8s.io', 'SelfSubjectReview', 'selfsubjectreviews'),
  review(AUTHORIZATION, 'LocalSubjectAccessReview', 'localsubjectaccessreviews', true),
  review(AUTHORIZATION, 'SelfSubjectAccessReview', 'selfsubjectaccessreviews'),
  review(AUTHORIZATION, 'SelfSubjectRulesReview', 'selfsubjectrulesreviews'),
  review(AUTHORIZATION, 'SubjectAccessReview', 'subjectaccessreviews'),
];

interface ReviewSpec {
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly namespace?: string;
  readonly resourceAttributes?: Readonly<Record<string, string>>;
  readonly nonResourceAttributes?: Readonly<Record<string, string>>;
}

function questionOf(spec: ReviewSpec, user: User): AccessQuestion {
  const { resourceAttributes: resource, nonResourceAttributes: other } = spec;
  if (other) return { user, verb: other.verb ?? '', path: other.path ?? '' };
  const { verb = '', group = '', resource: plural = '', subresource, namespace, name } = resource ?? {};
  return {
    user,
    verb,
    group,
    resource: plural,
    ...(subresource ? { subresource } : {}),
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
  };
}

function status(kind: Kind, spec: ReviewSpec, asker: User, allows: AccessRule): object {
  switch (kind.kind) {
    case 'SelfSubjectReview':
      return { userInfo: { username: asker.name, groups: asker.groups } };
    case 'SelfSubjectRulesReview': {
      if (!spec.namespace) throw badRequest('no namespace on request');
      // A rule is a function: what it allows cannot be listed, only tried.
      const all = allows({ user: asker, verb: '*', group: '*', resource: '*', namespace: spec.namespace });
      const rule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
      return {
        resourceRules: all ? [rule] : [],
        nonResourceRules: all ? [{ verbs: ['*'], nonResourceURLs: ['*'] }] : [],
        incomplete: !all,
      };
    }
    default: {
      const self = kind.kind === 'SelfSubjectAccessReview';
      const user = self ? asker : { name: spec.user ?? '', groups: spec.groups ?? [] };
      return { allowed: allows(questionOf(spec, user)) };
    }
  }
}

/** @throws Failure 422 for a review that asks nothing. */
export function answerReview(kind: Kind, request: ApiRequest, allows: AccessRule): ApiAnswer {
  const body = (request.body ?? {}) as { readonly metadata?: object; readonly spec?: ReviewSpec };
  const spec = body.spec ?? {};
  const asks = kind.kind.endsWith('AccessReview');
  if (asks && (spec.resourceAttributes === undefined) === (spec.nonResourceAttributes === undefined)) {
    const message = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    // Upstream loses the kind of the review on the way to this message.
    throw invalid({ group: kind.group, kind: '' }, '', [
      { reason: 'FieldValueInvalid', field: 'spec.resourceAttributes', message: `Invalid value: null: ${message}` },
    ]);
  }
  const answer = {
    kind: kind.kind,
    apiVersion: `${kind.group}/${kind.version}`,
    metadata: body.metadata ?? {},
    ...(kind.kind === 'SelfSubjectReview' ? {} : { spec }),
    status: status(kind, spec, request.user, allows),
  };
  return { code: 201, body: answer };
}

/** 403, worded as responsewriters/errors.go. */
export function refuseAccess({ user, verb, group = '', resource, subresource, namespace, name, path }: AccessQuestion): Failure {
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  if (path !== undefined) return new Failure(403, 'Forbidden', `forbidden: ${who} path ${JSON.stringify(path)}`, {});
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope';
  const what = `resource ${JSON.stringify(subresource ? `${resource}/${subresource}` : resource)} in API group ${JSON.stringify(group)}`;
  const plural = group === '' ? resource : `${resource}.${group}`;
  const subject = name ? `${plural} ${JSON.stringify(name)}` : plural;
  return new Failure(403, 'Forbidden', `${subject} is forbidden: ${who} ${what} ${where}`, {
    ...(name ? { name } : {}),
    ...(group ? { group } : {}),
    ...(resource ? { kind: resource } : {}),
  });
}
