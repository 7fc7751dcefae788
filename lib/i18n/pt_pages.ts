/**
 * Every text that only the server needs, in Portuguese.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { PageTexts } from "./en_pages.ts";

/** The texts. */
export const ptPages: PageTexts = {
  name: "Ephemeral P2P Image",
  description:
    "Mostre uma foto a alguém, uma vez. Ela vai de navegador a navegador, cifrada; depois some.",
  skip: "Ir para o conteúdo",
  footer: {
    guarantees: "O que isto garante e o que não",
    home: "Mostrar uma foto",
    language: "Idioma",
    change: "Mudar",
    build: "Versão",
  },
  changed: {
    title: "O código desta página mudou desde a sua última visita.",
    text:
      "É normal se este servidor foi atualizado. Se ninguém ia fazer isso, pergunte antes de mostrar algo.",
    more: "O que este número significa",
    dismiss: "Tudo bem",
  },
  offline: {
    title: "Sem conexão",
    text:
      "Você está offline, ou o servidor está. Um link que você abriu continua aqui: funciona quando você voltar, enquanto seu amigo deixar a página aberta.",
    again: "Tentar de novo",
  },
  share: {
    title: "Sua foto não chegou",
    text:
      "Este app recebe fotos compartilhadas dentro do seu navegador, e não estava pronto. Nada da foto foi guardado. Compartilhe de novo, ou escolha-a na primeira página.",
  },
  access: {
    title: "Quem pode mostrar fotos aqui",
    intro: "Este servidor pede antes a chave de acesso. Quem o mantém pode dizê-la.",
    label: "Chave de acesso",
    enter: "Continuar",
    wrong: "Não é a chave. Confira e tente de novo.",
    wait: "Chaves erradas demais. Espera: {duration}.",
    joining:
      "Para ver uma foto não é preciso chave: abra o link, ou digite o código, que você recebeu.",
  },
  error: {
    notFoundTitle: "Não há nada aqui",
    notFound: "O endereço não está certo, ou a página não existe mais.",
    title: "Algo deu errado aqui",
    text: "Não é culpa sua. Nada da sua foto estava neste servidor. Tente de novo daqui a pouco.",
    home: "Ao início",
    noScript: "Esta página precisa de JavaScript: a cifragem acontece no seu navegador.",
  },
  build: {
    title: "Qual código você executa",
    none: "Este é um servidor de desenvolvimento. O que ele entrega muda sempre e não tem número.",
    points: [
      "Este número é o SHA-256 de todos os arquivos que este servidor deve entregar aos navegadores.",
      "Qualquer pessoa pode gerar o mesmo número a partir do código publicado, com um comando, e comparar os arquivos que este servidor realmente envia. O README diz como.",
      "Onde você mostra fotos, seu navegador guarda o número e avisa quando ele muda.",
      "Um servidor desonesto poderia mostrar o número antigo com código novo: o número sozinho não prova nada. Ele serve para que mudanças honestas sejam vistas; as outras, encontra quem compara os arquivos.",
    ],
  },
  security: {
    title: "O que isto garante e o que não",
    sections: [{
      title: "O que este servidor fica sabendo",
      points: [
        "Que dois endereços da internet se encontraram aqui, quando e por quanto tempo.",
        "Os dígitos de um código falado. As palavras dele e a parte secreta de um link nunca saem dos seus dois navegadores.",
        "Ele guarda uma sessão na memória por uma hora no máximo, e a esquece assim que um de vocês a encerra.",
      ],
    }, {
      title: "O que ele não pode",
      points: [
        "Ver a foto. Ela vai de navegador a navegador, cifrada. O servidor nunca tem a chave. Onde as redes não deixam passar mais nada, ela pode passar por este servidor, ainda cifrada.",
        "Ficar no meio. Os dois navegadores se conferem, e param se algo foi trocado no caminho.",
        "Ler depois. Nem com uma gravação de tudo e um computador quântico.",
      ],
    }, {
      title: "Quem entra",
      points: [
        "Com um link: o primeiro que o tem inteiro e toca em Conectar. Envie a uma só pessoa.",
        "Com um código falado: quem ouvir tudo antes que seu amigo o use pode tomar o lugar dele. Deixa de valer após três tentativas erradas.",
        "Para ter certeza, compare: conectadas, as duas páginas mostram sete imagens. Se seu amigo vê as mesmas, não há ninguém no meio.",
        "Mesmo então a foto fica trancada até seu amigo tocar em “Ver”. Queime-a antes, e ela continua trancada.",
      ],
    }, {
      title: "O que ninguém pode impedir",
      points: [
        "Uma captura ou uma foto da tela. A marca d’água diz de onde vem uma cópia; não a impede.",
        "Um amigo com software alterado. “Fechamento informado” é o que o outro navegador diz, não uma prova.",
        "Que cada um veja o endereço IP do outro: os navegadores se conectam direto, a não ser que você oculte o seu e este servidor tenha um relay.",
        "Outro programa. Ele vem de quem mantém este servidor, e extensões do navegador podem ler junto. Use um servidor em que confia, ou o seu.",
      ],
    }],
  },
};
