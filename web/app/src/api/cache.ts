import type { Cache, CacheExchangeOpts, Entity } from '@urql/exchange-graphcache';
import { graphql } from '../gql';

const nothing = () => null;

/** What the cache knows of the schema: which objects have no identity of their own, and what a change touches besides itself. */
export const cache: CacheExchangeOpts = {
  keys: {
    AccountConnection: nothing,
    BillingSubscription: nothing,
    BuildConnection: nothing,
    BuildEdge: (edge) => String(edge.cursor),
    BuildLog: nothing,
    BuildSecret: nothing,
    DailyUsage: nothing,
    GitCredential: nothing,
    GitSource: nothing,
    ImageConnection: nothing,
    ImageEdge: nothing,
    ImageTriggers: nothing,
    ImageWebhook: nothing,
    AccountEdge: nothing,
    KeyValue: nothing,
    LogLine: nothing,
    PageInfo: nothing,
    PlanLimits: nothing,
    Price: nothing,
    PushWebhook: nothing,
    Usage: nothing,
    WebhookDelivery: nothing,
  },
  updates: {
    Mutation: {
      createImage: (_, __, cache) => forgetImages(cache),
      deleteImage: (result, _, cache) => {
        cache.invalidate({ __typename: 'Image', id: (result.deleteImage as { deletedID: string }).deletedID });
        forgetImages(cache);
      },
      startBuild: (result, _, cache) => addBuild(cache, (result.startBuild as Changed).build),
      retryBuild: (result, _, cache) => addBuild(cache, (result.retryBuild as Changed).build),
    },
    Subscription: {
      buildChanged: (result, _, cache) => addBuild(cache, result.buildChanged as Build),
    },
  },
  optimistic: {
    updateImage: (variables) => {
      const { id, suspended, public: open } = variables.input as { id: string; suspended?: boolean; public?: boolean };
      // Only a switch is safe to foresee; the rest waits for the server's rules.
      const foreseen = { ...(suspended !== undefined && { suspended }), ...(open !== undefined && { public: open }) };
      return Object.keys(foreseen).length === 0 ? null : { __typename: 'UpdateImagePayload', image: { __typename: 'Image', id, ...foreseen } };
    },
  },
};

type Build = { __typename: 'Build'; id: string; number: number; image?: { id: string } | null };
type Changed = { build: Build };

/** forgetImages makes lists of images be read again. */
function forgetImages(cache: Cache): void {
  const viewer = cache.resolve('Query', 'viewer') as Entity;
  if (viewer) forget(cache, viewer, 'images');
}

function forget(cache: Cache, entity: Entity, field: string): void {
  for (const each of cache.inspectFields(entity)) {
    if (each.fieldName === field) cache.invalidate(entity, field, each.arguments ?? undefined);
  }
}

const edgeFragment = graphql(`
  fragment LiveEdge on BuildEdge {
    cursor
    node {
      id
    }
  }
`);

/** addBuild puts a build that is newer than all of a list at the top of it, for each list of its image. */
function addBuild(cache: Cache, build: Build): void {
  if (!build.image) return;
  const image = { __typename: 'Image', id: build.image.id };
  for (const field of cache.inspectFields(image)) {
    const args = field.arguments ?? {};
    if (field.fieldName !== 'builds' || args.after) continue;
    if (args.phase) {
      cache.invalidate(image, 'builds', args);
      continue;
    }
    const connection = cache.resolve(image, 'builds', args) as string | null;
    const edges = connection && (cache.resolve(connection, 'edges') as string[] | null);
    if (!edges) continue;
    const newest = edges[0] ? Number(cache.resolve(cache.resolve(edges[0], 'node') as string, 'number')) : 0;
    if (build.number <= newest) continue;
    const edge = { __typename: 'BuildEdge' as const, cursor: `live:${build.id}`, node: { __typename: 'Build' as const, id: build.id } };
    cache.writeFragment(edgeFragment, edge);
    cache.link(connection, 'edges', [edge, ...edges] as Entity[]);
  }
}
