import { cacheExchange } from '@urql/exchange-graphcache';
import { Client, fetchExchange, subscriptionExchange } from 'urql';
import { cache } from './cache';
import { socket } from './socket';

/** The page's one GraphQL client: reads and changes by POST, what moves by the WebSocket, all into one normalised cache. */
export const client = new Client({
  url: '/graphql',
  preferGetMethod: false,
  requestPolicy: 'cache-and-network',
  exchanges: [
    cacheExchange(cache),
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query: query ?? '', variables }, sink) }),
      }),
    }),
  ],
});

/** The same without the cache, for what is too much to keep twice: logs. */
export const uncached = new Client({ url: '/graphql', preferGetMethod: false, exchanges: [fetchExchange] });
