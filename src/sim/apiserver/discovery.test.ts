import { describe, expect, it } from 'vitest';
import { createDoorBed } from '../testing/door-bed.ts';

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

type Resource = {
  resource: string;
  verbs: string[];
  subresources?: { subresource: string; responseKind: object; verbs: string[] }[];
};

describe('aggregated discovery', () => {
  it('names its form in the content type, without which clients take it for the old one', () => {
    const { headers, body } = createDoorBed().ask('GET', '/apis', { accept: AGGREGATED });
    expect(headers['Content-Type']).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    expect(body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toContain('policy');
  });

  it('tells the subresources with the kinds that they take', () => {
    const { body } = createDoorBed().ask('GET', '/api', { accept: AGGREGATED });
    const resources = body.items[0].versions[0].resources as Resource[];
    const eviction = resources
      .find(({ resource }) => resource === 'pods')
      ?.subresources?.find((it) => it.subresource === 'eviction');
    expect(eviction).toEqual({
      subresource: 'eviction',
      responseKind: { group: 'policy', version: 'v1', kind: 'Eviction' },
      verbs: ['create'],
    });
  });
});

describe('discovery by group', () => {
  it('says the same in the old forms', () => {
    const bed = createDoorBed();
    expect(bed.ask('GET', '/api').body.versions).toEqual(['v1']);
    const group = { groupVersion: 'apps/v1', version: 'v1' };
    expect(bed.ask('GET', '/apis').body.groups).toContainEqual({ name: 'apps', versions: [group], preferredVersion: group });
    expect(bed.ask('GET', '/apis/apps').body).toMatchObject({ kind: 'APIGroup', preferredVersion: group });
    const { body } = bed.ask('GET', '/apis/apps/v1');
    expect(body.groupVersion).toBe('apps/v1');
    expect(body.resources).toContainEqual(
      expect.objectContaining({ name: 'deployments', singularName: 'deployment', shortNames: ['deploy'] }),
    );
    expect(body.resources).toContainEqual(
      expect.objectContaining({ name: 'deployments/scale', group: 'autoscaling', kind: 'Scale' }),
    );
  });

  it('tells reviews, which can only be created', () => {
    const { body } = createDoorBed().ask('GET', '/apis/authorization.k8s.io/v1');
    expect(body.resources.map(({ verbs }: Resource) => verbs)).toEqual([['create'], ['create'], ['create'], ['create']]);
  });
});

describe('OpenAPI', () => {
  it('tells kubectl that PATCH checks fields, and that it must merge by its own types', () => {
    const bed = createDoorBed();
    const { serverRelativeURL } = bed.ask('GET', '/openapi/v3').body.paths['apis/apps/v1'];
    const [path] = serverRelativeURL.split('?');
    const operation = bed.ask('GET', path).body.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'].patch;
    expect(operation['x-kubernetes-group-version-kind']).toEqual({ group: 'apps', version: 'v1', kind: 'Deployment' });
    expect(operation.parameters.map(({ name }: { name: string }) => name)).toContain('fieldValidation');
    expect(Object.keys(operation.requestBody.content)).not.toContain('application/strategic-merge-patch+json');
    expect(bed.ask('GET', '/openapi/v3/apis/none/v1').code).toBe(404);
  });

  it('has an empty second version, as protobuf too', () => {
    const bed = createDoorBed();
    expect(bed.ask('GET', '/openapi/v2').body.swagger).toBe('2.0');
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    const document = bed.ask('GET', '/openapi/v2', { accept }).body as Buffer;
    expect([...document.subarray(0, 5)]).toEqual([0x0a, 3, ...Buffer.from('2.0')]);
  });
});
