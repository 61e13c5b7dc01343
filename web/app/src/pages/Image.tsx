import { Anchor, Badge, Tabs, Text, Title } from '@mantine/core';
import { Link, useLocation, useNavigate, useParams } from 'react-router';
import { useQuery } from 'urql';
import { useLive } from '../api/useLive';
import { codeOf } from '../api/words';
import { Waiting } from '../frame/Waiting';
import { usePageTitle } from '../frame/usePageTitle';
import { graphql } from '../gql';
import type { ImageFieldsFragment } from '../gql/graphql';
import { Copy } from '../parts/Copy';
import { Failure } from '../parts/Failure';
import { ImageBuilds } from './ImageBuilds';
import { ImageSettings } from './ImageSettings';
import { NotFound } from './NotFound';
import { StartForm } from './StartForm';
import classes from './Image.module.css';

export const ImageFields = graphql(`
  fragment ImageFields on Image {
    id
    name
    source {
      repository
      ref
      context
      dockerfile
    }
    destination
    tags
    platforms
    buildArgs {
      key
      value
    }
    timeoutSeconds
    suspended
    createdAt
    updatedAt
  }
`);

const ImageQuery = graphql(`
  query Image($name: String!) {
    image(name: $name) {
      ...ImageFields
    }
  }
`);

const ImageChanged = graphql(`
  subscription ImageChanged($id: ID!) {
    imageChanged(id: $id) {
      ...ImageFields
    }
  }
`);

/** One image: its builds, or its settings. */
export function Image() {
  const { name = '' } = useParams();
  const [{ data, error }, ask] = useQuery({ query: ImageQuery, variables: { name } });
  usePageTitle(name);
  if (data?.image) return <Shown key={data.image.id} image={data.image} />;
  if (codeOf(error) === 'NOT_FOUND') return <NotFound what="image" />;
  if (error) return <Failure error={error} retry={() => ask({ requestPolicy: 'network-only' })} />;
  return data ? <NotFound what="image" /> : <Waiting />;
}

function Shown({ image }: { image: ImageFieldsFragment }) {
  useLive(ImageChanged, { id: image.id });
  const settings = useLocation().pathname.endsWith('/settings');
  const navigate = useNavigate();
  const base = `/images/${image.name}`;
  return (
    <>
      <nav aria-label="Breadcrumb">
        <Anchor component={Link} to="/" size="sm">
          Images
        </Anchor>
      </nav>
      <div className={classes.head}>
        <Title order={1}>{image.name}</Title>
        {image.suspended && (
          <Badge variant="default" tt="none">
            Suspended
          </Badge>
        )}
        <StartForm image={image} />
      </div>
      <dl className={classes.facts}>
        <div>
          <dt>Source</dt>
          <dd>
            <Text span truncate title={image.source.repository}>
              {image.source.repository}
            </Text>{' '}
            <Text span c="dimmed">
              at {image.source.ref}
            </Text>
          </dd>
        </div>
        <div>
          <dt>Destination</dt>
          <dd>
            <Copy text={image.destination} what="destination" />
          </dd>
        </div>
      </dl>
      <Tabs value={settings ? 'settings' : 'builds'} onChange={(tab) => void navigate(tab === 'settings' ? `${base}/settings` : base)} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="builds">Builds</Tabs.Tab>
          <Tabs.Tab value="settings">Settings</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="builds">
          <ImageBuilds image={image} />
        </Tabs.Panel>
        <Tabs.Panel value="settings">
          <ImageSettings image={image} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
