/**
 * Every text that only the server needs, in French.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { PageTexts } from "./en_pages.ts";

/** The texts. */
export const frPages: PageTexts = {
  name: "Ephemeral P2P Image",
  description:
    "Montrez une photo à quelqu’un, une fois. Elle va de navigateur à navigateur, chiffrée ; puis elle disparaît.",
  skip: "Aller au contenu",
  footer: {
    guarantees: "Ce que ceci garantit, ou non",
    home: "Montrer une photo",
    language: "Langue",
    change: "Changer",
    build: "Version",
  },
  changed: {
    title: "Le code de cette page a changé depuis votre dernière visite.",
    text:
      "C’est normal si ce serveur a été mis à jour. Si personne ne devait le faire, demandez avant de montrer quoi que ce soit.",
    more: "Ce que ce nombre signifie",
    dismiss: "D’accord",
  },
  offline: {
    title: "Pas de connexion",
    text:
      "Vous êtes hors ligne, ou le serveur l’est. Un lien que vous avez ouvert est toujours là : il marchera à votre retour, tant que votre ami garde sa page ouverte.",
    again: "Réessayer",
  },
  share: {
    title: "Votre photo n’est pas arrivée",
    text:
      "Cette application prend les photos partagées dans votre navigateur, et elle n’était pas prête. Rien de la photo n’a été gardé. Partagez-la encore, ou choisissez-la sur la première page.",
  },
  access: {
    title: "Qui peut montrer des photos ici",
    intro: "Ce serveur demande d’abord sa clé d’accès. Celui qui le gère peut vous la donner.",
    label: "Clé d’accès",
    enter: "Continuer",
    wrong: "Ce n’est pas la clé. Vérifiez-la et réessayez.",
    wait: "Trop de clés fausses. Attente : {duration}.",
    joining:
      "Pour regarder une photo, pas besoin de clé : ouvrez le lien, ou tapez le code, que vous avez reçu.",
  },
  error: {
    notFoundTitle: "Il n’y a rien ici",
    notFound: "L’adresse n’est pas bonne, ou la page n’existe plus.",
    title: "Quelque chose a mal tourné ici",
    text:
      "Ce n’est pas votre faute. Rien de votre photo n’était sur ce serveur. Réessayez dans un instant.",
    home: "Au début",
    noScript: "Cette page a besoin de JavaScript : le chiffrement se fait dans votre navigateur.",
  },
  build: {
    title: "Quel code vous exécutez",
    none:
      "Ceci est un serveur de développement. Ce qu’il donne change sans cesse et n’a pas de nombre.",
    points: [
      "Ce nombre est le SHA-256 de tous les fichiers que ce serveur doit donner aux navigateurs.",
      "Chacun peut produire le même nombre à partir du code publié, avec une commande, et comparer les fichiers que ce serveur envoie vraiment. Le README dit comment.",
      "Là où vous montrez des photos, votre navigateur retient le nombre et vous prévient s’il change.",
      "Un serveur malhonnête pourrait montrer l’ancien nombre avec un nouveau code : le nombre seul ne prouve rien. Il rend visibles les changements honnêtes, et ceux qui comparent les fichiers trouvent les autres.",
    ],
  },
  security: {
    title: "Ce que ceci garantit, ou non",
    sections: [{
      title: "Ce que ce serveur apprend",
      points: [
        "Que deux adresses d’Internet se sont rencontrées ici, quand et combien de temps.",
        "Les chiffres d’un code parlé. Ses mots et la partie secrète d’un lien ne quittent jamais vos deux navigateurs.",
        "Il garde une session en mémoire une heure au plus, et l’oublie dès que l’un de vous la termine.",
      ],
    }, {
      title: "Ce qu’il ne peut pas faire",
      points: [
        "Voir la photo. Elle va de navigateur à navigateur, chiffrée. Le serveur n’a jamais la clé. Là où les réseaux ne laissent rien passer d’autre, elle peut passer par ce serveur, toujours chiffrée.",
        "Se glisser entre vous. Les deux navigateurs se vérifient, et s’arrêtent si quelque chose a été échangé en chemin.",
        "La lire plus tard. Pas même avec un enregistrement de tout et un ordinateur quantique.",
      ],
    }, {
      title: "Qui peut entrer",
      points: [
        "Avec un lien : le premier qui l’a en entier et appuie sur Se connecter. Envoyez-le à une seule personne.",
        "Avec un code parlé : qui l’entend en entier avant que votre ami l’utilise peut prendre sa place. Il cesse de marcher après trois essais faux.",
        "Pour être sûr, comparez : une fois connectées, les deux pages montrent sept images. Si votre ami voit les mêmes, personne n’est entre vous.",
        "Même alors, la photo est verrouillée jusqu’à ce que votre ami appuie sur « Voir ». Brûlez-la avant, et elle le reste.",
      ],
    }, {
      title: "Ce que personne ne peut empêcher",
      points: [
        "Une capture ou une photo de l’écran. Le filigrane dit d’où vient une copie ; il ne l’empêche pas.",
        "Un logiciel modifié chez votre ami. « Fermeture signalée » est ce que dit l’autre navigateur, pas une preuve.",
        "Que chacun voie l’adresse IP de l’autre : vos navigateurs se connectent directement, sauf si vous cachez la vôtre et que ce serveur a un relais.",
        "Un autre programme. Il vient de celui qui gère ce serveur, et des extensions du navigateur peuvent lire aussi. Prenez un serveur de confiance, ou le vôtre.",
      ],
    }],
  },
};
