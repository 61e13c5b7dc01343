import './workers';
import 'graphiql/style.css';
import './style.css';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createClient } from 'graphql-ws';
import { createRoot } from 'react-dom/client';
import { Bar } from './bar';
import { examples } from './examples';
import { useScheme } from './useScheme';

const endpoint = new URL('/graphql', location.href);
const socket = createClient({ url: endpoint.href.replace(/^http/, 'ws') });
const fetcher = createGraphiQLFetcher({ url: endpoint.href, wsClient: socket });

function App() {
  const scheme = useScheme();
  return (
    <>
      {/* A socket keeps the session it was opened with: end it when the session changes. */}
      <Bar onChange={() => socket.terminate()} />
      <main>
        <GraphiQL fetcher={fetcher} forcedTheme={scheme} defaultTabs={examples} defaultEditorToolsVisibility="variables">
          <GraphiQL.Logo>
            <h1 className="title">GraphiQL</h1>
          </GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}

createRoot(document.getElementById('root')!).render(<App />);
